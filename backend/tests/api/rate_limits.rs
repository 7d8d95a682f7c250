//! Limits on how often a client may ask: from one address, with one session or key, and for anything worth
//! guessing.

use std::time::Duration;

use instagram_simulator::{Consent, accounts};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::callers::{HOST_LINK, LOGIN, MY_INSTAGRAM, SESSION, USERS, instagram};
use crate::support::metrics::{METRICS, value};
use crate::support::{Answer, PASSWORD, Person, Running, TestApp, hang_up};

const ON: (&str, &str) = ("RATE_LIMITS", "on");
/// The client of these tests is a proxy, so that they can ask from any address.
const BEHIND_A_PROXY: (&str, &str) = ("TRUSTED_PROXIES", "127.0.0.1");
const WRONG: &str = "canary-wrong-password-5d20";

/// A link that there is not.
fn unknown_link() -> String {
    format!("{HOST_LINK}?token=x")
}

/// A request that comes from an address.
async fn from(person: &Person, address: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    let mut request = person.request(method, path).header("x-forwarded-for", address);
    if let Some(body) = body {
        request = request.json(&body);
    }
    Answer::of(request).await
}

/// That an answer says that it was too often, and when it is worth another try; returns the seconds.
fn wait_of(answer: &Answer) -> u64 {
    assert_eq!(answer.failure(), "429 rate_limited", "{answer}");
    let wait = answer.header("retry-after").parse().unwrap();
    assert_eq!(answer.body["retryAfter"], wait, "{answer}");
    wait
}

#[actix_web::test]
async fn an_address_that_asks_too_often_is_told_to_wait() {
    let app = TestApp::start_with(&[("RATE_LIMITS", "0.1")]);
    let ada = app.with_user("ada").await;
    let anybody = app.anonymous();
    for left in (0..9).rev() {
        let answer = anybody.session().await;
        assert_eq!(answer.failure(), "401 unauthenticated");
        assert_eq!(answer.header("ratelimit-policy"), "\"address\";q=10;w=20");
        let state = answer.header("ratelimit").to_owned();
        assert!(state.starts_with(&format!("\"address\";r={left};t=")), "{state}");
    }
    for path in [SESSION, "/api/docs", LOGIN, "/api/%73ession", "/%61pi/session"] {
        let refused = anybody.get(path).await;
        assert!((1..=2).contains(&wait_of(&refused)), "{path}: {refused}");
        assert_eq!(refused.header("ratelimit-policy"), "\"address\";q=10;w=20");
        assert!(refused.header("ratelimit").starts_with("\"address\";r=0;t="));
    }
    for path in ["/healthz", "/readyz"] {
        let answer = anybody.get(path).await;
        assert_eq!((answer.status, answer.header("ratelimit")), (200, ""));
    }
    let known = ada.session().await;
    assert_eq!(known.status, 200, "who is signed in is counted apart");
    assert_eq!(known.header("ratelimit-policy"), "\"caller\";q=10;w=10");
}

#[actix_web::test]
async fn each_session_and_each_key_has_a_quota_of_its_own() {
    let app = TestApp::start_with(&[("RATE_LIMITS", "0.1")]);
    let ada = app.with_user("ada").await;
    let key = app.with_key(&ada.personal_key(&["connections:read"]).await);
    let other_key = app.with_key(&ada.personal_key(&["connections:read"]).await);
    let mut refused = 0;
    for _ in 0..20 {
        let answer = key.connection().await;
        if answer.status == 429 {
            assert!(wait_of(&answer) <= 1);
            refused += 1;
        }
    }
    assert!(refused >= 5, "{refused}");
    assert_eq!(other_key.connection().await.failure(), "404 not_connected");
    assert_eq!(ada.session().await.status, 200);
}

#[actix_web::test]
async fn a_key_that_is_none_counts_for_its_address() {
    let app = TestApp::start_with(&[("RATE_LIMITS", "0.1")]);
    let cookie = format!("connect_session={}", "a".repeat(43));
    for number in 0..10 {
        let request = app.anonymous().request(Method::GET, SESSION);
        let request = if number % 2 == 0 {
            request.bearer_auth(format!("nonsense{number}"))
        } else {
            request.header("cookie", &cookie)
        };
        assert_eq!(Answer::of(request).await.failure(), "401 unauthenticated");
    }
    let request = app.anonymous().request(Method::GET, SESSION).bearer_auth("another");
    wait_of(&Answer::of(request).await);
    wait_of(&app.anonymous().session().await);
}

#[actix_web::test]
async fn who_is_no_trusted_proxy_cannot_take_another_address() {
    let app = TestApp::start_with(&[("RATE_LIMITS", "0.1")]);
    let person = app.anonymous();
    let ask = async |address: String| from(&person, &address, Method::GET, SESSION, None).await;
    for number in 0..10 {
        assert_eq!(ask(format!("198.51.100.{number}")).await.status, 401);
    }
    wait_of(&ask("198.51.100.99".to_owned()).await);

    let app = app.restart_with(&[("RATE_LIMITS", "0.1"), BEHIND_A_PROXY]);
    let person = app.anonymous();
    let ask = async |address: String| from(&person, &address, Method::GET, SESSION, None).await;
    for number in 0..10 {
        // What the client itself has written stands left of what the proxy adds.
        assert_eq!(ask(format!("203.0.113.{number}, 198.51.100.1")).await.status, 401);
    }
    wait_of(&ask("203.0.113.99, 198.51.100.1".to_owned()).await);
    assert_eq!(ask("198.51.100.2".to_owned()).await.status, 401, "another client of the same proxy");
    for number in 0..10 {
        assert_eq!(ask(format!("2001:db8:1:2::{number}")).await.status, 401);
    }
    wait_of(&ask("2001:db8:1:2:ffff::1".to_owned()).await);
    assert_eq!(ask("2001:db8:1:3::1".to_owned()).await.status, 401, "another household");
}

async fn sign_up(url: &str, address: &str, name: &str) -> Answer {
    let body = json!({"email": format!("{name}@example.com"), "password": PASSWORD});
    let request = crate::support::client().post(format!("{url}/api/users"));
    Answer::of(request.header("x-forwarded-for", address).json(&body)).await
}

#[actix_web::test]
async fn sign_ups_are_counted_for_all_backends_and_beyond_a_restart() {
    let tight = [("RATE_LIMITS", "0.05"), BEHIND_A_PROXY];
    let app = TestApp::start_with(&tight);
    for name in ["ada", "bob", "cleo"] {
        assert_eq!(sign_up(&app.url, "198.51.100.1", name).await.status, 201);
    }
    let refused = sign_up(&app.url, "198.51.100.1", "dora").await;
    assert!((3590..=3601).contains(&wait_of(&refused)), "{refused}");
    assert_eq!(refused.header("ratelimit-policy"), "\"sign-up\";q=3;w=3600");
    assert!(refused.header("ratelimit").starts_with("\"sign-up\";r=0;t="));

    let another: Running = app.another(&tight);
    wait_of(&sign_up(&another.url, "198.51.100.1", "dora").await);
    let app = app.restart_with(&tight);
    wait_of(&sign_up(&app.url, "198.51.100.1", "dora").await);
    assert_eq!(sign_up(&app.url, "198.51.100.2", "dora").await.status, 201);
    app.clock.advance(Duration::from_secs(3601));
    assert_eq!(sign_up(&app.url, "198.51.100.1", "emil").await.status, 201);
}

#[actix_web::test]
async fn sign_ins_of_one_address_are_limited_whoever_they_are_for() {
    let app = TestApp::start_with(&[("RATE_LIMITS", "0.05")]);
    for name in ["ada", "bob", "cleo"] {
        assert_eq!(
            app.anonymous().sign_in(&format!("{name}@example.com"), WRONG).await.failure(),
            "401 invalid_credentials"
        );
    }
    let refused = app.anonymous().sign_in("dora@example.com", WRONG).await;
    assert!(wait_of(&refused) > 590);
    assert_eq!(refused.header("ratelimit-policy"), "\"sign-in\";q=3;w=600");
}

#[actix_web::test]
async fn guessing_one_password_gets_slower_and_slower() {
    let app = TestApp::start_with(&[ON]);
    app.with_user("ada").await;
    let nobodys = app.anonymous();
    // An account that there is and one that there is not, in any spelling.
    for email in ["ada@example.com", "nobody@example.com"] {
        for _ in 0..5 {
            assert_eq!(nobodys.sign_in(email, WRONG).await.failure(), "401 invalid_credentials");
        }
        let refused = nobodys.sign_in(&email.to_uppercase(), WRONG).await;
        assert!((14..=16).contains(&wait_of(&refused)), "{refused}");
        let again = nobodys.sign_in(email, PASSWORD).await;
        assert_eq!(again.body["error"], refused.body["error"], "the right one is not told from a wrong one");
        assert_eq!(wait_of(&again), wait_of(&again));
    }
    for expected in [15, 30, 60, 120, 240, 480, 900, 900] {
        app.clock.advance(Duration::from_secs(901));
        for email in ["ada@example.com", "nobody@example.com"] {
            assert_eq!(nobodys.sign_in(email, WRONG).await.failure(), "401 invalid_credentials");
            let wait = wait_of(&nobodys.sign_in(email, WRONG).await);
            assert!((expected - 2..=expected + 1).contains(&wait), "{wait} instead of {expected}");
        }
    }
    app.clock.advance(Duration::from_secs(901));
    assert_eq!(nobodys.sign_in("ada@example.com", PASSWORD).await.status, 200, "nobody is locked out");
    assert_eq!(nobodys.sign_in("ada@example.com", PASSWORD).await.status, 200, "and all is forgotten");
}

#[actix_web::test]
async fn of_many_guesses_at_once_few_are_looked_at() {
    let app = TestApp::start_with(&[ON]);
    app.with_user("ada").await;
    let guesses = (0..20).map(|_| async { app.anonymous().sign_in("ada@example.com", WRONG).await.status });
    let answers = futures_util::future::join_all(guesses).await;
    let looked_at = answers.iter().filter(|status| **status == 401).count();
    assert!((1..=5).contains(&looked_at), "{answers:?}");
    assert!(answers.iter().all(|status| matches!(status, 401 | 429)), "{answers:?}");
}

#[actix_web::test]
async fn guesses_that_are_refused_make_no_wait_longer() {
    let app = TestApp::start_with(&[ON]);
    app.with_user("ada").await;
    let guesses = (0..20).map(|_| async { app.anonymous().sign_in("ada@example.com", WRONG).await.status });
    let answers = futures_util::future::join_all(guesses).await;
    assert_eq!(answers.iter().filter(|status| **status == 429).count(), 15, "{answers:?}");
    // As long as after five guesses, one after the other.
    app.clock.advance(Duration::from_secs(16));
    assert_eq!(app.anonymous().sign_in("ada@example.com", WRONG).await.status, 401);
    let wait = wait_of(&app.anonymous().sign_in("ada@example.com", WRONG).await);
    assert!((13..=16).contains(&wait), "{wait}");
}

#[actix_web::test]
async fn a_sign_in_that_the_server_has_no_time_for_is_no_wrong_password() {
    let app = TestApp::start_with(&[ON, BEHIND_A_PROXY]);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let proxy = app.anonymous();
    // All from addresses and for accounts of their own: no other limit is met.
    let burst = (0..cores * 100).map(async |number| {
        let email = format!("person{number}@example.com");
        let address = format!("203.0.{}.{}", number / 250, number % 250);
        let body = json!({"email": email, "password": WRONG});
        let answer = from(&proxy, &address, Method::POST, SESSION, Some(body)).await;
        (email, answer)
    });
    let answers = futures_util::future::join_all(burst).await;
    let mut refused = answers.iter().filter(|(_, answer)| {
        answer.body["error"].as_str().is_some_and(|error| error.starts_with("Too many people are signing in"))
    });
    let (email, answer) = refused.next().expect("the line is bounded");
    assert!((1..=2).contains(&wait_of(answer)), "{answer}");
    for _ in 0..5 {
        assert_eq!(proxy.sign_in(email, WRONG).await.failure(), "401 invalid_credentials");
    }
    wait_of(&proxy.sign_in(email, WRONG).await);
}

#[actix_web::test]
async fn an_owner_signs_in_where_they_did_before_while_others_guess() {
    let app = TestApp::start_with(&[ON]);
    let ada = app.with_user("ada").await;
    assert_eq!(ada.sign_out().await.status, 200);
    let (attacker, bob) = (app.anonymous(), app.with_user("bob").await);
    for _ in 0..5 {
        assert_eq!(attacker.sign_in("ada@example.com", WRONG).await.status, 401);
    }
    wait_of(&attacker.sign_in("ada@example.com", PASSWORD).await);
    wait_of(&bob.sign_in("ada@example.com", PASSWORD).await);
    assert_eq!(ada.sign_in("ada@example.com", PASSWORD).await.status, 200);
    // That does not help the others; and the browser has no more tries than anybody.
    wait_of(&attacker.sign_in("ada@example.com", PASSWORD).await);
    for _ in 0..5 {
        assert_eq!(ada.sign_in("ada@example.com", WRONG).await.status, 401);
    }
    wait_of(&ada.sign_in("ada@example.com", PASSWORD).await);
}

#[actix_web::test]
async fn the_cookie_that_knows_a_browser_lets_nobody_in_and_cannot_be_made() {
    let app = TestApp::start_with(&[ON]);
    let person = app.anonymous();
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let signed_up = person.sign_up(body).await;
    let cookies: Vec<_> =
        signed_up.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
    let device = cookies.iter().find(|cookie| cookie.starts_with("connect_device=")).unwrap();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(device.contains(attribute), "{device}");
    }
    let device = device.split(';').next().unwrap();
    let with = |cookie: String| app.anonymous().request(Method::GET, SESSION).header("cookie", cookie);
    assert_eq!(Answer::of(with(device.to_owned())).await.failure(), "401 unauthenticated");

    for _ in 0..5 {
        assert_eq!(app.anonymous().sign_in("ada@example.com", WRONG).await.status, 401);
    }
    let sign_in_with = async |cookie: &str| {
        let body = json!({"email": "ada@example.com", "password": WRONG});
        let request = app.anonymous().request(Method::POST, SESSION).header("cookie", cookie);
        Answer::of(request.json(&body)).await
    };
    let last = if device.ends_with('A') { "B" } else { "A" };
    for forged in [
        format!("{}{last}", &device[..device.len() - 1]),
        "connect_device=x".into(),
        "connect_device=".into(),
    ] {
        wait_of(&sign_in_with(&forged).await);
    }
    assert_eq!(
        sign_in_with(device).await.status,
        401,
        "a thief of it has five tries more, and not one account more"
    );
}

#[actix_web::test]
async fn a_sign_in_that_is_refused_costs_no_hash() {
    let app = TestApp::start_with(&[ON, METRICS]);
    app.with_user("ada").await;
    let hashes = async || value(&app, "password_hashes_total").await;
    let guesser = app.anonymous();
    for _ in 0..5 {
        assert_eq!(guesser.sign_in("ada@example.com", WRONG).await.failure(), "401 invalid_credentials");
    }
    let before = hashes().await;
    assert_eq!(before, 6.0, "the sign-up's and five guesses'");
    for _ in 0..5 {
        wait_of(&guesser.sign_in("ada@example.com", WRONG).await);
    }
    assert_eq!(hashes().await, before);
}

#[actix_web::test]
async fn callbacks_and_host_links_are_limited() {
    let app = TestApp::start_with(&[("RATE_LIMITS", "0.1")]);
    let ada = app.with_user("ada").await;
    for _ in 0..6 {
        let answer = ada.callback("code=a&state=b").await;
        assert_eq!(answer.failure(), "400 invalid_state");
    }
    let refused = ada.callback("code=a&state=b").await;
    assert!(wait_of(&refused) > 590);
    assert_eq!(refused.header("ratelimit-policy"), "\"callback\";q=6;w=600");

    let anybody = app.anonymous();
    for _ in 0..6 {
        assert_eq!(anybody.get(&unknown_link()).await.failure(), "400 invalid_state");
    }
    let refused = anybody.get(&unknown_link()).await;
    assert!(wait_of(&refused) > 590);
    let policy = "\"host-link\";q=6;w=600";
    assert_eq!(refused.header("ratelimit-policy"), policy);
    // A person's browser is shown a page.
    let page = anybody.navigate(&unknown_link()).await;
    assert_eq!(
        (page.status().as_u16(), &page.headers()["ratelimit-policy"]),
        (429, &policy.parse().unwrap())
    );
    assert!(page.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 590);
    let html = page.text().await.unwrap();
    assert!(html.contains("This link cannot be opened now") && html.contains("Wait a little"), "{html}");

    let app = app.restart_with(&[("RATE_LIMITS", "0.1")]);
    let anybody = app.anonymous();
    for _ in 0..6 {
        assert_eq!(anybody.follow_link(&unknown_link()).await.failure(), "400 invalid_state");
    }
    let refused = anybody.follow_link(&unknown_link()).await;
    assert!(wait_of(&refused) > 590);
    assert_eq!(refused.header("ratelimit-policy"), "\"host-sign-in\";q=6;w=600");
}

/// Each key has a limit of its own; Instagram's patience is with the owner.
#[actix_web::test]
async fn all_programs_of_an_owner_together_call_instagram_so_often() {
    let app = TestApp::start_with(&[("RATE_LIMITS", "0.1"), BEHIND_A_PROXY]);
    let ask = async |program: &Person, number: usize, user: &str| {
        let path = format!("{}/proxy/me", instagram(user));
        from(program, &format!("203.0.113.{number}"), Method::GET, &path, None).await
    };
    let key = || app.with_key(&app.service_key(&["connections:read"]));
    for number in 0..12 {
        let program = key();
        for _ in 0..10 {
            assert_eq!(ask(&program, number, "user-123").await.failure(), "404 not_connected");
        }
    }
    let refused = ask(&key(), 12, "user-123").await;
    assert!(wait_of(&refused) > 3500);
    assert_eq!(refused.header("ratelimit-policy"), "\"proxy\";q=120;w=3600");
    let of_other = ask(&key(), 13, "user-124").await;
    assert_eq!(of_other.failure(), "404 not_connected", "each owner has a limit");
}

#[actix_web::test]
async fn one_address_asks_so_often_with_all_its_keys() {
    let app = TestApp::start_with(&[("RATE_LIMITS", "0.02"), BEHIND_A_PROXY]);
    let path = &instagram("user-123");
    let programs: Vec<_> = (0..11).map(|_| app.with_key(&app.service_key(&["connections:read"]))).collect();
    let ask = async |program: &Person, address: &str| from(program, address, Method::GET, path, None).await;
    for program in &programs[..10] {
        for _ in 0..2 {
            assert_eq!(ask(program, "203.0.113.1").await.failure(), "404 not_connected");
        }
    }
    let refused = ask(&programs[10], "203.0.113.1").await;
    assert_eq!(refused.failure(), "429 rate_limited");
    assert_eq!(refused.header("ratelimit-policy"), "\"callers-of-address\";q=20;w=10");
    assert_eq!(ask(&programs[10], "203.0.113.2").await.failure(), "404 not_connected");
}

#[actix_web::test]
async fn an_owner_asks_instagram_so_often_and_no_more() {
    let app = TestApp::start_with(&[("RATE_LIMITS", "0.2")]);
    let ada = app.with_connection().await;
    for (what, limit) in [("refresh", 4), ("sync", 12)] {
        let path = format!("{MY_INSTAGRAM}/{what}");
        for _ in 0..limit {
            assert_eq!(ada.post(&path, json!({})).await.header("ratelimit-policy"), "\"caller\";q=20;w=10");
        }
        // Another session of the same owner's is no way around it.
        let again = app.anonymous();
        assert_eq!(again.sign_in("ada@example.com", PASSWORD).await.status, 200);
        let refused = again.post(&path, json!({})).await;
        assert!(wait_of(&refused) > 3590);
        assert_eq!(refused.header("ratelimit-policy"), format!("\"{what}\";q={limit};w=3600"));
    }
}

#[actix_web::test]
async fn without_an_answer_of_the_database_nobody_guesses() {
    let app = TestApp::start_with(&[ON]);
    app.with_user("ada").await;
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = app.anonymous().sign_in("ada@example.com", PASSWORD).await;
    assert_eq!(answer.failure(), "503 unavailable");
    database.execute_batch("ROLLBACK").unwrap();
    assert_eq!(app.anonymous().sign_in("ada@example.com", PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn the_names_of_counts_tell_of_nobody() {
    let app = TestApp::start_with(&[ON, BEHIND_A_PROXY]);
    let ada = app.with_user("ada").await;
    app.exchange(&ada, Consent::allow(accounts::RECORD_SHOP)).await;
    for number in 0..6 {
        let body = json!({"email": "canary@example.com", "password": WRONG});
        let path = if number % 2 == 0 { SESSION } else { USERS };
        from(&app.anonymous(), "198.51.100.77", Method::POST, path, Some(body)).await;
    }
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    let mut statement = database.prepare("SELECT name FROM tries").unwrap();
    let names: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(names.len() >= 5, "{names:?}");
    for name in names {
        let (rule, who) = name.rsplit_once(':').unwrap();
        assert!(rule.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'-' | b':')), "{name}");
        assert_eq!(who.len(), 22, "{name}");
    }
}

#[actix_web::test]
async fn a_right_password_is_no_failure_even_if_its_client_hangs_up() {
    let app = TestApp::start_with(&[ON, METRICS]);
    app.with_user("ada").await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    for _ in 0..6 {
        let before = value(&app, "password_hashes_total").await;
        let request = app.anonymous().request(Method::POST, SESSION).json(&body);
        // The password is counted as a failure by then, and is being looked at.
        let until_looked_at = async {
            let patience = std::time::Instant::now();
            while value(&app, "password_hashes_total").await == before {
                assert!(patience.elapsed() < Duration::from_secs(10), "it is not looked at");
            }
        };
        hang_up(request, until_looked_at).await;
    }
    let mut answer = app.anonymous().sign_in("ada@example.com", PASSWORD).await;
    for _ in 0..20 {
        if answer.status == 200 {
            break;
        }
        // The last of them may not be through.
        tokio::time::sleep(Duration::from_millis(200)).await;
        answer = app.anonymous().sign_in("ada@example.com", PASSWORD).await;
    }
    assert_eq!(answer.status, 200, "{answer}");
}

/// Counts the calls to the database while `requests` are made. Reading the count calls it, too.
async fn store_calls(app: &TestApp, requests: impl Future<Output = ()>) -> f64 {
    let calls = async || value(app, "store_calls_total").await;
    let (first, second) = (calls().await, calls().await);
    requests.await;
    calls().await - second - (second - first)
}

/// A service whose own work asks the database nothing meanwhile.
fn start_limited(factor: &str) -> TestApp {
    TestApp::start_with(&[("RATE_LIMITS", factor), METRICS, BEHIND_A_PROXY, ("REFRESH_POLL_SECONDS", "3600")])
}

/// Asks with a session that nobody has, another one for each number.
async fn with_made_up(app: &TestApp, number: usize) -> Answer {
    let cookie = format!("connect_session={}{number:03}", "a".repeat(40));
    let request = app.anonymous().request(Method::GET, SESSION).header("cookie", cookie);
    Answer::of(request.header("x-forwarded-for", "203.0.113.1")).await
}

#[actix_web::test]
async fn made_up_sessions_are_looked_up_so_often_for_an_address_and_no_more() {
    let app = start_limited("0.02");
    for number in 0..2 {
        assert_eq!(with_made_up(&app, number).await.failure(), "401 unauthenticated");
    }
    let asked = std::time::Instant::now();
    let mut policies = Vec::new();
    let calls = store_calls(&app, async {
        for number in 2..200 {
            let refused = with_made_up(&app, number).await;
            if refused.failure() != "401 unauthenticated" {
                wait_of(&refused);
                policies.push(refused.header("ratelimit-policy").to_owned());
            }
        }
    });
    let calls = calls.await;
    // Of the lookups, two come back each second.
    let most = 18.0 + 2.0 * asked.elapsed().as_secs_f64() + 1.0;
    assert!(calls <= most, "{calls} instead of {most}");
    assert_eq!(policies[0], "\"address\";q=2;w=20", "they count as requests without a session, too");
    assert!(policies.iter().any(|policy| policy == "\"lookup\";q=20;w=10"), "{policies:?}");
}

#[actix_web::test]
async fn made_up_sessions_keep_no_good_key_out() {
    const MOST_OF_TEN_MINUTES: Duration = Duration::from_secs(9 * 60);
    let limits = [("RATE_LIMITS", "0.1"), BEHIND_A_PROXY];
    let app = TestApp::start_with(&limits);
    let key = app.service_key(&["connections:read"]);
    let with_key = async |app: &TestApp| {
        from(&app.with_key(&key), "203.0.113.1", Method::GET, &instagram("user-123"), None).await.failure()
    };
    assert_eq!(with_key(&app).await, "404 not_connected");
    for _ in 0..2 {
        app.clock.advance(MOST_OF_TEN_MINUTES);
        // More than all good ones of the address may ask together.
        for number in 0..200 {
            with_made_up(&app, number).await;
        }
        assert_eq!(with_key(&app).await, "404 not_connected", "what is in use is known");
    }
    // Nobody is known any more, and the made-up ones are more than an address may ask without a session.
    let app = app.restart_with(&limits);
    for number in 0..50 {
        with_made_up(&app, number).await;
    }
    assert_eq!(with_key(&app).await, "404 not_connected");
}

#[actix_web::test]
async fn a_key_that_asks_too_often_takes_nothing_from_the_others_of_its_address() {
    let app = TestApp::start_with(&[("RATE_LIMITS", "0.02")]);
    let [eager, modest] = [0, 1].map(|_| app.with_key(&app.service_key(&["connections:read"])));
    for _ in 0..100 {
        eager.get(&instagram("user-123")).await;
    }
    assert_eq!(modest.get(&instagram("user-123")).await.failure(), "404 not_connected");
}

#[actix_web::test]
async fn a_session_that_asks_too_often_is_not_looked_up() {
    let app = start_limited("0.01");
    let ada = app.with_user("ada").await;
    assert_eq!(ada.connection().await.failure(), "404 not_connected");
    let calls = store_calls(&app, async {
        wait_of(&ada.connection().await);
        wait_of(&ada.connection().await);
    });
    assert_eq!(calls.await, 0.0);
}

#[actix_web::test]
async fn a_strict_limit_that_is_used_up_is_not_counted_on() {
    let app = start_limited("0.05");
    for name in ["ada", "bob", "cleo"] {
        assert_eq!(sign_up(&app.url, "203.0.113.2", name).await.status, 201);
    }
    wait_of(&sign_up(&app.url, "203.0.113.2", "dora").await);
    let calls = store_calls(&app, async {
        assert!(wait_of(&sign_up(&app.url, "203.0.113.2", "dora").await) > 3500);
    });
    assert_eq!(calls.await, 0.0);
}

#[actix_web::test]
async fn however_often_it_is_asked_readiness_is_looked_up_once_a_second() {
    let app = TestApp::start_with(&[METRICS, ("REFRESH_POLL_SECONDS", "3600")]);
    let anybody = app.anonymous();
    let asked = std::time::Instant::now();
    let calls = store_calls(&app, async {
        for _ in 0..50 {
            assert_eq!(anybody.get("/readyz").await.status, 200);
        }
    });
    let calls = calls.await;
    assert!(calls <= asked.elapsed().as_secs_f64() + 1.0, "{calls}");
    std::fs::rename(app.database_file(), app.folder.path().join("away")).unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(anybody.get("/readyz").await.failure(), "503 unavailable");
    let again = anybody.get("/readyz").await;
    assert_eq!((again.failure().as_str(), again.header("retry-after")), ("503 unavailable", "5"));
}

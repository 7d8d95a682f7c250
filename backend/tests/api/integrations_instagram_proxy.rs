//! `/api/integrations/instagram/{userId}/proxy/{graph path}`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use backend::clock::Clock;
use instagram_simulator::{Consent, Endpoint, Fault, Times, accounts};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::callers::proxied;
use crate::support::{Answer, OFTEN, Person, TestApp, eventually, pass};

const ALL: [&str; 3] = ["connections:read", "content:publish", "messages:manage"];

/// Somebody who is connected, and a program of theirs.
async fn connected(app: &TestApp, scopes: &[&str]) -> (Person, Person) {
    let ada = app.with_connection().await;
    let program = app.with_key(&ada.personal_key(scopes).await);
    (ada, program)
}

#[actix_web::test]
async fn what_instagram_answers_is_passed_on_without_the_token() {
    let app = TestApp::start();
    let (_, program) = connected(&app, &["connections:read"]).await;
    let me = program.get(&proxied("me?fields=username,followers_count")).await;
    let shop = json!({"id": "24578906541234567", "username": "wreckshoprecords", "followers_count": 15_420});
    assert_eq!((me.status, me.body.clone()), (200, shop));
    assert_eq!((me.header("cache-control"), me.header("content-type")), ("no-store", "application/json"));

    let page = program.get(&proxied("me/media?fields=id,caption&limit=2")).await;
    assert_eq!(page.body["data"][0]["caption"], "Post 5");
    let next = page.body["paging"]["next"].as_str().unwrap();
    assert!(next.contains("/v25.0/17841400000000000/media?limit=2&after="), "{next}");
    let after = page.body["paging"]["cursors"]["after"].as_str().unwrap();
    let second = program.get(&proxied(&format!("me/media?fields=id,caption&limit=2&after={after}"))).await;
    assert_eq!(second.body["data"][0]["caption"], "Post 3", "read on with the cursor");
    let post = page.body["data"][0]["id"].as_str().unwrap();
    let read = program.get(&proxied(&format!("{post}?fields=media_type"))).await;
    assert_eq!(read.body, json!({"id": post, "media_type": "IMAGE"}));
}

#[actix_web::test]
async fn a_program_publishes_comments_and_writes() {
    let app = TestApp::start();
    let (_, program) = connected(&app, &ALL).await;
    let image = json!({"image_url": "https://wreckshop.com/a.jpg", "caption": "New in"});
    let container = program.post(&proxied("me/media"), image).await;
    let creation_id = container.body["id"].as_str().unwrap();
    let status = program.get(&proxied(&format!("{creation_id}?fields=status_code"))).await;
    assert_eq!(status.body["status_code"], "FINISHED");
    let published =
        program.request(Method::POST, &proxied("me/media_publish")).form(&[("creation_id", creation_id)]);
    let post = Answer::of(published).await.body["id"].as_str().unwrap().to_owned();
    let by_query = program.request(Method::POST, &proxied(&format!("{post}/comments?message=thanks")));
    let comment = Answer::of(by_query).await.body["id"].as_str().unwrap().to_owned();
    let reply = program.post(&proxied(&format!("{comment}/replies")), json!({"message": "and you"})).await;
    assert_eq!(reply.status, 200, "{reply}");
    assert_eq!(program.delete(&proxied(&comment)).await.body, json!({"success": true}));
    let message = json!({"recipient": {"id": "42"}, "message": {"text": "hi"}});
    assert_eq!(program.post(&proxied("me/messages"), message).await.body["recipient_id"], "42");
}

#[actix_web::test]
async fn each_call_needs_its_scope() {
    let app = TestApp::start();
    let (ada, _) = connected(&app, &["connections:read"]).await;
    let needs = |method: &str, path: &str| match (method, path) {
        ("GET", "me/conversations" | "me?fields=conversations{messages}") => "messages:manage",
        ("GET", _) => "connections:read",
        ("POST", "me/media" | "me/media_publish") => "content:publish",
        _ => "messages:manage",
    };
    let calls = [
        ("GET", "me"),
        ("GET", "me/media"),
        ("GET", "me/conversations"),
        ("GET", "me?fields=conversations{messages}"),
        ("POST", "me/media"),
        ("POST", "me/media_publish"),
        ("POST", "me/messages"),
        ("POST", "1/comments"),
        ("POST", "1/replies"),
        ("DELETE", "1"),
    ];
    for scope in
        ["connections:read", "content:publish", "messages:manage", "connections:write", "tokens:read"]
    {
        let program = app.with_key(&ada.personal_key(&[scope]).await);
        for (method, path) in calls {
            let answer = Answer::of(program.request(method.parse().unwrap(), &proxied(path))).await;
            // A field of somebody's messages needs two, and so does deleting what may be a comment or a post.
            let both = path.contains('{') || method == "DELETE";
            let is_let_in = needs(method, path) == scope && !both;
            assert_eq!(answer.failure() == "403 forbidden", !is_let_in, "{scope}: {method} {path}: {answer}");
        }
    }
    let both = app.with_key(&ada.personal_key(&["messages:manage", "content:publish"]).await);
    let deleted = Answer::of(both.request(Method::DELETE, &proxied("1"))).await;
    assert_ne!(deleted.status, 403, "{deleted}");
    assert_eq!(ada.get(&proxied("me")).await.status, 200, "a session holds them all");
}

#[actix_web::test]
async fn only_listed_paths_and_methods_are_forwarded() {
    let app = TestApp::start();
    let (_, program) = connected(&app, &ALL).await;
    let asked = app.instagram.requests(Endpoint::Any);
    for path in [
        "me/access_token",
        "access_token",
        "refresh_access_token",
        "v25.0/me",
        "me/media/",
        "oauth/access_token",
        "",
    ] {
        assert_eq!(program.get(&proxied(path)).await.failure(), "404 not_found", "{path}");
    }
    let wrong = program.delete(&proxied("me/media")).await;
    assert_eq!((wrong.failure(), wrong.header("allow")), ("405 method_not_allowed".to_owned(), "GET, POST"));
    let put = Answer::of(program.request(Method::PUT, &proxied("me/media"))).await;
    assert_eq!(
        (put.failure(), put.header("allow")),
        ("405 method_not_allowed".to_owned(), "GET, POST, DELETE")
    );
    assert_eq!(app.instagram.requests(Endpoint::Any), asked, "Instagram hears of none of them");
}

/// Sends paths that no client library sends: each path as it stands here.
#[actix_web::test]
async fn no_trick_leads_to_another_path_or_host() {
    let (app, ada) = TestApp::connected().await;
    let key = ada.personal_key(&ALL).await;
    let asked = app.instagram.requests(Endpoint::Any);
    let address = app.url.trim_start_matches("http://").to_owned();
    let answers = actix_web::rt::task::spawn_blocking(move || {
        let tricks = [
            "..",
            "../..",
            "me/../../access_token",
            "%2e%2e/access_token",
            "me%2f..%2faccess_token",
            "me%2Fmedia",
            "%6de",
            "/me",
            "//evil.example/me",
            "me//media",
            "http://evil.example/",
            "@evil.example",
            "me%00",
            "me;a=b",
            "me%3Ffields=id",
            "me%23",
            "me\\..\\access_token",
            "%E2%80%AE",
            "me%252fmedia",
            "1%20",
            "./me",
        ];
        tricks.map(|trick| {
            let mut stream = TcpStream::connect(&address).unwrap();
            let head = format!(
                "GET /api/integrations/instagram/me/proxy/{trick} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\
                 Connection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            (trick, String::from_utf8_lossy(&answer).into_owned())
        })
    });
    for (trick, answer) in answers.await.unwrap() {
        assert!(answer.starts_with("HTTP/1.1 404 "), "{trick}: {answer}");
    }
    assert_eq!(app.instagram.requests(Endpoint::Any), asked, "Instagram hears of none of them");
}

#[actix_web::test]
async fn parameters_that_are_ours_are_refused() {
    let app = TestApp::start();
    let (_, program) = connected(&app, &ALL).await;
    let other = app.instagram.issue_token(accounts::CREATOR);
    let asked = app.instagram.requests(Endpoint::Any);
    for query in [
        "access_token=x",
        "Access_Token=x",
        "access_token[]=x",
        "%61ccess_token=x",
        "access.token=x",
        "access%2Etoken=x",
        "access%20token=x",
        "access+token=x",
        "access[token=x",
        "access%5Btoken=x",
        "access%5Ftoken=x",
        "%2561ccess_token=x",
        "a[access_token]=x",
        "oauth_token=x",
        "token=x",
        "client.id=x",
        "=x",
        "appsecret_proof=x",
        "client_secret=x",
        "method=delete",
        "ids=1,2",
    ] {
        let answer = program.get(&proxied(&format!("me?fields=id&{query}"))).await;
        assert_eq!(answer.failure(), "400 invalid_request", "{query}");
    }
    let json =
        program.post(&proxied("me/media"), json!({"image_url": "https://x", "access_token": other})).await;
    assert_eq!(json.failure(), "400 invalid_request");
    let form = program
        .request(Method::POST, &proxied("me/media"))
        .form(&[("access_token", "x"), ("image_url", "y")]);
    assert_eq!(Answer::of(form).await.failure(), "400 invalid_request");
    for name in ["access.token", "access token", "access[token", "oauth_token", "a[access_token]"] {
        let form =
            program.request(Method::POST, &proxied("me/media")).form(&[(name, "x"), ("image_url", "y")]);
        assert_eq!(Answer::of(form).await.failure(), "400 invalid_request", "{name}");
        let json = program.post(&proxied("me/media"), json!({"image_url": "y", name: "x"})).await;
        assert_eq!(json.failure(), "400 invalid_request", "{name}");
        let nested = json!({"image_url": "y", "user_tags": [{"username": {name: "x"}}]});
        assert_eq!(
            program.post(&proxied("me/media"), nested).await.failure(),
            "400 invalid_request",
            "{name}"
        );
    }
    assert_eq!(app.instagram.requests(Endpoint::Any), asked, "Instagram hears of none of them");

    let post = |media_type: &str, body: String| {
        let request = program.request(Method::POST, &proxied("me/media")).header("content-type", media_type);
        Answer::of(request.body(body))
    };
    assert_eq!(post("text/plain", "{}".into()).await.failure(), "415 unsupported_media_type");
    assert_eq!(post("application/json", "[]".into()).await.failure(), "400 invalid_request");
    let large = format!("{{\"caption\":\"{}\"}}", "x".repeat(70_000));
    assert_eq!(post("application/json", large).await.failure(), "413 payload_too_large");
}

#[actix_web::test]
async fn each_failure_of_instagram_has_its_code() {
    let app = TestApp::start();
    let (ada, program) = connected(&app, &ALL).await;
    let before = ada.connection().await.body;
    for (fault, expected) in [
        (Fault::graph_error(100, 33), "400 invalid_request"),
        (Fault::graph_error(9, 2_207_042), "400 invalid_request"),
        (Fault::graph_error(368, None), "400 invalid_request"),
        (Fault::graph_error(10, None), "400 access_denied"),
        (Fault::graph_error(2, None), "502 upstream_error"),
        (Fault::ServerError { status: 500 }, "502 upstream_error"),
        (Fault::Html, "502 upstream_error"),
        (Fault::Empty, "502 upstream_error"),
        (Fault::Truncated, "502 upstream_error"),
        (Fault::Reset, "502 upstream_error"),
        (Fault::Delay { ms: 3000 }, "504 upstream_timeout"),
        (Fault::RateLimited400, "429 rate_limited"),
    ] {
        app.instagram.fault(Endpoint::Graph, fault.clone(), Times::ONCE);
        let answer = program.get(&proxied("me/media")).await;
        assert_eq!(answer.failure(), expected, "{fault:?}");
        assert_eq!(ada.connection().await.body, before, "{fault:?} costs the connection nothing");
    }
    let asked = app.instagram.requests(Endpoint::Any);
    assert_eq!(
        program.get(&proxied("me/media")).await.failure(),
        "429 rate_limited",
        "and nobody goes on calling"
    );
    assert_eq!(app.instagram.requests(Endpoint::Any), asked);
    app.clock.advance(Duration::from_secs(16 * 60));
    let missing = program.get(&proxied("18000000000000099")).await;
    assert_eq!(missing.failure(), "400 invalid_request");
    let said = missing.body["error"].as_str().unwrap();
    assert!(
        said.contains("Object with ID '18000000000000099' does not exist"),
        "in Instagram's words: {said}"
    );

    app.instagram.revoke(accounts::RECORD_SHOP, 460);
    assert_eq!(program.get(&proxied("me/media")).await.failure(), "409 needs_reauthorization");
    assert_eq!(ada.connection().await.body["connection"]["lastError"], "The Instagram password was changed.");
    let asked = app.instagram.requests(Endpoint::Any);
    assert_eq!(program.get(&proxied("me/media")).await.failure(), "409 needs_reauthorization");
    assert_eq!(app.instagram.requests(Endpoint::Any), asked, "a dead token is not tried again");
}

#[actix_web::test]
async fn a_permission_that_was_not_granted_is_told() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let choice = Consent::allow_only(accounts::RECORD_SHOP, &["instagram_business_basic"]);
    let exchanged = app.exchange(&ada, choice).await;
    assert_eq!(ada.save(&exchanged.body).await.status, 200);
    let answer = ada.post(&proxied("me/media"), json!({"image_url": "https://wreckshop.com/a.jpg"})).await;
    assert_eq!(answer.failure(), "400 access_denied");
    assert_eq!(app.with_user("bob").await.get(&proxied("me")).await.failure(), "404 not_connected");
}

/// Instagram's answer may be about the token itself.
#[actix_web::test]
async fn a_message_that_quotes_the_token_is_cleaned() {
    let app = TestApp::start();
    let (_, program) = connected(&app, &ALL).await;
    let error = json!({"endpoint": "graph", "kind": "graph_error", "code": 100,
                       "message": "Cannot use IGAAcanary0123456789 at https://x/?access_token=IGAAcanary0123456789"});
    let planned: Value = reqwest::Client::new()
        .post(format!("{}/__simulator/faults", app.instagram.url()))
        .json(&error)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(planned.as_array().unwrap().len(), 1);
    // `Answer` itself looks for tokens in whatever comes.
    let answer = program.get(&proxied("me/media")).await;
    assert_eq!(
        answer.body["error"],
        "Instagram refused this: Cannot use [redacted] at https://x/?access_token=[redacted]"
    );
}

/// A program can provoke the code of a dead token by the calls that it makes up, and must not end a
/// connection by it.
#[actix_web::test]
async fn a_call_that_was_made_up_does_not_tell_that_a_token_is_dead() {
    let app = TestApp::start();
    let (ada, program) = connected(&app, &ALL).await;
    let before = ada.connection().await.body;
    app.instagram.fault(Endpoint::Graph, Fault::graph_error(190, 460), Times::Count(8));
    app.instagram.fault(Endpoint::Graph, Fault::graph_error(102, None), Times::Count(8));
    let asked = app.instagram.requests(Endpoint::Profile);
    for minute in 1..=2 {
        let calls = (0..8).map(async |_| program.get(&proxied("me/media")).await);
        for answer in futures_util::future::join_all(calls).await {
            assert_eq!(answer.failure(), "502 upstream_error");
        }
        assert_eq!(app.instagram.requests(Endpoint::Profile), asked + minute, "of all of them, one asks");
        app.clock.advance(Duration::from_secs(61));
    }
    // Neither does a profile that cannot be read.
    for fault in [Fault::ServerError { status: 500 }, Fault::Html, Fault::graph_error(10, None)] {
        app.instagram.fault(Endpoint::Graph, Fault::graph_error(190, None), Times::ONCE);
        app.instagram.fault(Endpoint::Profile, fault, Times::ONCE);
        assert_eq!(program.get(&proxied("me/media")).await.failure(), "502 upstream_error");
        app.clock.advance(Duration::from_secs(61));
    }
    assert_eq!(ada.connection().await.body, before);
    assert_eq!(ada.event_types().await, ["connected"], "and nothing since");

    app.instagram.revoke(accounts::RECORD_SHOP, 458);
    assert_eq!(program.get(&proxied("me/media")).await.failure(), "409 needs_reauthorization");
    let after = ada.connection().await.body["connection"].clone();
    assert_eq!(after["lastError"], "This app was removed in Instagram's settings.", "the profile said so");
    assert_eq!(program.get(&proxied("me/media")).await.failure(), "409 needs_reauthorization");
}

#[actix_web::test]
async fn an_accounts_rate_limit_that_a_program_meets_holds_for_that_account() {
    let app = TestApp::start();
    let (ada, program) = connected(&app, &ALL).await;
    let bob = app.with_user("bob").await;
    assert_eq!(app.connect(&bob, accounts::CREATOR).await.status, 200);
    app.clock.advance(Duration::from_secs(2 * 86_400));
    app.instagram.advance(Duration::from_secs(2 * 86_400));
    for code in [17, 32, 80_002] {
        app.instagram.fault(Endpoint::Graph, Fault::graph_error(code, None), Times::ONCE);
        let limited = program.get(&proxied("me/media")).await;
        assert_eq!((limited.failure(), limited.header("retry-after")), ("429 rate_limited".into(), "60"));
        let asked = app.instagram.requests(Endpoint::Any);
        let of_ada = async |action: &str| ada.instagram().act(action).await;
        for answer in [program.get(&proxied("me/media")).await, of_ada("sync").await, of_ada("refresh").await]
        {
            assert_eq!(answer.failure(), "429 rate_limited", "{code}");
            let left: u64 = answer.header("retry-after").parse().unwrap();
            assert!((1..=60).contains(&left), "{left}");
        }
        assert_eq!(app.instagram.requests(Endpoint::Any), asked, "going on would lengthen the block");
        assert_eq!(
            bob.get(&proxied("me/media")).await.status,
            200,
            "another account's calls are not affected"
        );
        app.clock.advance(Duration::from_secs(61));
        assert_eq!(program.get(&proxied("me/media")).await.status, 200, "{code}");
    }
}

#[actix_web::test]
async fn an_accounts_rate_limit_that_a_program_meets_puts_its_renewal_off() {
    let app = TestApp::start_with(&[OFTEN]);
    let (ada, program) = connected(&app, &["connections:read"]).await;
    pass(&app, &[&ada], 20).await;
    let connection = ada.connection().await.body["connection"].clone();
    let expires_at: Timestamp = connection["expiresAt"].as_str().unwrap().parse().unwrap();
    let window = SignedDuration::from_hours(30 * 24);
    let until_due = Duration::try_from(expires_at.duration_since(app.clock.now()) - window).unwrap();
    for step in [until_due / 2, until_due / 2 - Duration::from_secs(30)] {
        app.clock.advance(step);
        app.instagram.advance(step);
        ada.connection().await;
    }
    app.instagram.fault(Endpoint::Graph, Fault::graph_error(80_002, None), Times::ONCE);
    assert_eq!(program.get(&proxied("me/media")).await.failure(), "429 rate_limited");
    app.clock.advance(Duration::from_secs(40));
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(app.instagram.requests(Endpoint::Refresh), 0, "it is due, and waits");
    app.clock.advance(Duration::from_secs(30));
    eventually(&ada, |after| after["expiresAt"].as_str() > connection["expiresAt"].as_str()).await;
}

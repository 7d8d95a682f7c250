//! `POST /api/sessions` and `/auth/host`: a host application's users.

use std::time::Duration;

use instagram_simulator::{Consent, accounts};
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::support::callers::{HOST_LINK, INSTAGRAM, USERS, instagram};
use crate::support::{Answer, DAY, PASSWORD, Person, TestApp};

const ALL: [&str; 4] = ["sessions:create", "connections:read", "connections:write", "tokens:read"];

/// The host application's backend.
fn host(app: &TestApp) -> Person {
    app.with_key(&app.service_key(&ALL))
}

/// Path and query of a new link.
async fn link(host: &Person, body: Value) -> String {
    let answer = host.create_link(body).await;
    assert_eq!(answer.status, 201, "{answer}");
    let url = Url::parse(answer.body["url"].as_str().unwrap()).unwrap();
    assert_eq!(url.origin().ascii_serialization(), "http://localhost:4002");
    format!("{}?{}", url.path(), url.query().unwrap())
}

/// Somebody of the host's, signed in by a link.
async fn signed_in(app: &TestApp, host: &Person, user_id: &str) -> Person {
    let mut person = app.anonymous();
    let opened = person.follow_link(&link(host, json!({"userId": user_id})).await).await;
    assert_eq!(opened.status, 303, "{opened}");
    person.id = user_id.to_owned();
    person
}

#[actix_web::test]
async fn a_link_signs_one_browser_in_once() {
    let app = TestApp::start();
    let host = host(&app);
    let path =
        link(&host, json!({"userId": "user-123", "name": "Ada", "returnTo": "/integrations?from=host"}))
            .await;
    let person = app.anonymous();
    let page = person.navigate(&path).await;
    assert_eq!(page.status(), 200);
    let header = |name: &str| page.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(
        (header("referrer-policy"), header("cache-control"), header("x-frame-options")),
        ("no-referrer".into(), "no-store".into(), "DENY".into())
    );
    let opened = person.follow_link(&path).await;
    assert_eq!(opened.status, 303, "{opened}");
    assert_eq!(opened.header("location"), "http://localhost:5176/integrations?from=host");
    assert_eq!(
        (opened.header("referrer-policy"), opened.header("cache-control")),
        ("no-referrer", "no-store")
    );
    let cookie = opened.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");

    let who = person.session().await;
    let user = &who.body["user"];
    assert_eq!(
        (&user["id"], &user["email"], &user["name"]),
        (&json!("user-123"), &Value::Null, &json!("Ada"))
    );
    assert!(user["createdAt"].is_string());

    let another = app.anonymous();
    let again = another.navigate(&path).await;
    assert_eq!(again.status(), 400);
    assert!(again.headers().get("set-cookie").is_none());
    assert!(again.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert_eq!(again.headers()["cache-control"], "no-store");
    assert!(again.text().await.unwrap().contains("This link no longer works"));
    assert_eq!(another.get(&path).await.failure(), "400 invalid_state", "and a fetch gets JSON");
    assert_eq!(another.follow_link(&path).await.failure(), "400 invalid_state");
    assert_eq!(person.session().await.status, 200, "who was signed in stays so");
    assert_eq!(person.sign_out().await.status, 200);
    assert_eq!(person.session().await.failure(), "401 unauthenticated");
}

/// Else any page could sign its visitors in as somebody of its choice: by an image, by a fetch, by a link.
#[actix_web::test]
async fn a_get_never_signs_in_whoever_sends_it() {
    let app = TestApp::start();
    let host = host(&app);
    let (nobody, ada) = (app.anonymous(), app.with_user("ada").await);
    let same = signed_in(&app, &host, "mallory").await;
    let path = link(&host, json!({"userId": "mallory", "name": "Mallory"})).await;
    let image = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5";
    for (accept, headers) in [
        (None, &[][..]),
        (Some("*/*"), &[("sec-fetch-mode", "no-cors"), ("sec-fetch-site", "same-site")][..]),
        (Some("application/json"), &[("sec-fetch-site", "same-origin")][..]),
        (Some(image), &[("sec-fetch-dest", "image"), ("sec-fetch-site", "cross-site")][..]),
        (Some("text/html,*/*;q=0.8"), &[("sec-fetch-mode", "navigate"), ("sec-fetch-user", "?1")][..]),
        (Some("text/html,*/*;q=0.8"), &[("sec-purpose", "prefetch;prerender")][..]),
        (Some("nonsense;;"), &[][..]),
    ] {
        for person in [&nobody, &ada, &same] {
            let mut request = person.bare_request(Method::GET, &path);
            if let Some(accept) = accept {
                request = request.header("accept", accept);
            }
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, 200, "{accept:?}: {answer}");
            assert!(answer.header("content-type").starts_with("text/html"), "{accept:?}");
            assert_eq!(answer.header("set-cookie"), "", "{accept:?}");
            assert!(answer.text.contains("Continue as <bdi>Mallory</bdi>"), "{accept:?}: {answer}");
        }
    }
    assert_eq!(nobody.session().await.failure(), "401 unauthenticated");
    assert_eq!(ada.session().await.body["user"]["id"], ada.id);
    let head = nobody.request(Method::HEAD, &path).send().await.unwrap();
    assert_eq!(head.status(), 405);
    assert_eq!(nobody.follow_link(&path).await.status, 303, "and the link is as good as before");
}

#[actix_web::test]
async fn only_our_own_pages_may_post_a_link() {
    let app = TestApp::start();
    let path = link(&host(&app), json!({"userId": "mallory"})).await;
    let token = path.split_once("token=").unwrap().1;
    let ada = app.with_user("ada").await;
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let form = ada.request(Method::POST, HOST_LINK).form(&[("token", token)]);
        assert_eq!(Answer::of(form.header(name, value)).await.failure(), "403 cross_site_request", "{value}");
    }
    assert_eq!(ada.session().await.body["user"]["id"], ada.id);
    let form = ada.request(Method::POST, HOST_LINK).form(&[("token", token)]);
    let posted = Answer::of(form.header("sec-fetch-site", "same-origin")).await;
    assert_eq!(posted.status, 303, "{posted}");
}

/// Whoever sees the name of somebody else does not go on.
#[actix_web::test]
async fn the_page_of_a_link_names_whom_it_signs_in() {
    let app = TestApp::start();
    let host = host(&app);
    let (nobody, ada) = (app.anonymous(), app.with_user("ada").await);
    let named = link(&host, json!({"userId": "usr_1", "name": "<b>Mallory</b>"})).await;
    let unnamed = link(&host, json!({"userId": "a&b"})).await;
    let html = async |person: &Person, path: &str| {
        let page = person.navigate(path).await;
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        // A browser follows the answer of a form to these addresses alone.
        assert!(policy.contains("form-action 'self' http://localhost:5176;"), "{policy}");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        page.text().await.unwrap()
    };
    let page = html(&nobody, &named).await;
    assert!(page.contains("<button>Continue as <bdi>&lt;b&gt;Mallory&lt;/b&gt;</bdi></button>"), "{page}");
    assert!(page.contains("(user <code><bdi>usr_1</bdi></code>)"), "{page}");
    assert!(!page.contains("signed in here already") && !page.contains("<script"), "{page}");
    let page = html(&nobody, &unnamed).await;
    assert!(page.contains("<button>Continue as <bdi>a&amp;b</bdi></button>"), "{page}");

    let page = html(&ada, &named).await;
    assert!(page.contains("You are signed in here already, as somebody else."), "{page}");
    assert!(page.contains("href=\"http://localhost:5176/integrations\""), "{page}");
    assert!(page.find("<button>").unwrap() < page.find("Stay signed in").unwrap(), "{page}");
    let before = ada.sessions().await.body["sessions"].as_array().unwrap().len();
    let gone_on = ada.follow_link(&named).await;
    assert_eq!((gone_on.status, gone_on.header("location")), (303, "http://localhost:5176/integrations"));
    assert_eq!(ada.session().await.body["user"]["id"], "usr_1");
    assert_eq!(ada.follow_link(&named).await.failure(), "400 invalid_state", "once");
    // Her own session has ended: the browser has forgotten it.
    let again = app.anonymous();
    again.sign_in("ada@example.com", PASSWORD).await;
    let after = again.sessions().await.body["sessions"].as_array().unwrap().len();
    assert_eq!((before, after), (1, 1));

    let to_same = link(&host, json!({"userId": "usr_1"})).await;
    assert!(!html(&ada, &to_same).await.contains("signed in here already"));
}

#[actix_web::test]
async fn a_link_lives_ten_minutes() {
    let app = TestApp::start();
    let host = host(&app);
    let [early, late] =
        [link(&host, json!({"userId": "a"})).await, link(&host, json!({"userId": "a"})).await];
    app.clock.advance(Duration::from_secs(595));
    let opened = app.anonymous().follow_link(&early).await;
    assert_eq!((opened.status, opened.header("location")), (303, "http://localhost:5176/integrations"));
    app.clock.advance(Duration::from_secs(6));
    assert_eq!(app.anonymous().get(&late).await.failure(), "400 invalid_state");
    assert_eq!(app.anonymous().follow_link(&late).await.failure(), "400 invalid_state");
    let path = late.split('?').next().unwrap();
    for rubbish in [path.to_owned(), format!("{path}?token="), format!("{path}?token={}", "a".repeat(43))] {
        assert_eq!(app.anonymous().get(&rubbish).await.failure(), "400 invalid_state", "{rubbish}");
    }
    for rubbish in ["", &"a".repeat(43)] {
        let rubbish = format!("{path}?token={rubbish}");
        assert_eq!(app.anonymous().follow_link(&rubbish).await.failure(), "400 invalid_state", "{rubbish}");
    }
}

#[actix_web::test]
async fn of_many_that_follow_a_link_at_once_one_is_signed_in() {
    let app = TestApp::start();
    let path = link(&host(&app), json!({"userId": "user-123"})).await;
    let people: Vec<_> = (0..20).map(|_| app.anonymous()).collect();
    let answers = futures_util::future::join_all(people.iter().map(|person| person.follow_link(&path))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 303).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.failure() == "400 invalid_state").count(), 19);
}

#[actix_web::test]
async fn a_host_signs_its_user_out_everywhere() {
    let app = TestApp::start();
    let host = host(&app);
    let people = [signed_in(&app, &host, "user-123").await, signed_in(&app, &host, "user-123").await];
    let of_other = signed_in(&app, &host, "user-124").await;
    let (waiting, waiting_for_other) =
        (link(&host, json!({"userId": "user-123"})).await, link(&host, json!({"userId": "user-124"})).await);
    let key = app.with_key(&people[0].personal_key(&["connections:read"]).await);
    assert_eq!(app.connect(&people[0], accounts::RECORD_SHOP).await.status, 200);

    let ended = host.end_sessions_of("user-123", "").await;
    assert_eq!((ended.status, &ended.body["ok"]), (200, &json!(true)), "{ended}");
    assert_eq!(ended.body["apiKeys"][0]["name"], "mine", "and says what goes on");
    for person in &people {
        assert_eq!(person.session().await.failure(), "401 unauthenticated");
    }
    assert_eq!(app.anonymous().follow_link(&waiting).await.failure(), "400 invalid_state");
    assert_eq!(of_other.session().await.status, 200);
    assert_eq!(app.anonymous().follow_link(&waiting_for_other).await.status, 303);
    assert_eq!(host.instagram_of("user-123").read().await.status, 200, "the connection stays");
    assert_eq!(key.connection().await.status, 200);

    let revoked = host.end_sessions_of("user-123", "revokeApiKeys=true").await;
    assert_eq!((revoked.status, &revoked.body), (200, &json!({"ok": true, "apiKeys": []})));
    assert_eq!(key.connection().await.failure(), "401 unauthenticated");
    assert_eq!(host.end_sessions_of("nobody", "").await.status, 200, "nobody is signed in nowhere");

    // The local account of that id is another user.
    let ada = app.with_user("ada").await;
    assert_eq!(host.delete(&format!("{USERS}/{}/sessions", ada.id)).await.status, 200);
    assert_eq!(ada.session().await.status, 200);
    assert_eq!(host.end_sessions_of("me", "").await.failure(), "403 forbidden");
    let without = app.with_key(&app.service_key(&["connections:read", "connections:write"]));
    assert_eq!(without.end_sessions_of("user-124", "").await.failure(), "403 forbidden");
    assert_eq!(of_other.end_sessions_of("user-124", "").await.failure(), "403 forbidden");
}

#[actix_web::test]
async fn a_hosts_session_ends_thirty_days_after_it_began_however_it_is_used() {
    let app = TestApp::start();
    let person = signed_in(&app, &host(&app), "user-123").await;
    let ends = person.sessions().await.body["sessions"][0]["expiresAt"].clone();
    for _ in 0..29 {
        app.clock.advance(DAY);
        assert_eq!(person.session().await.status, 200);
    }
    let session = person.sessions().await.body["sessions"][0].clone();
    assert_eq!(session["expiresAt"], ends);
    assert!(session["lastUsedAt"].as_str() > session["createdAt"].as_str(), "its use is noted: {session}");
    // What an older version has prolonged ends all the same.
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    database.execute("UPDATE sessions SET expires_at = expires_at + 1000000000", []).unwrap();
    app.clock.advance(DAY);
    assert_eq!(person.session().await.failure(), "401 unauthenticated");
}

#[actix_web::test]
async fn a_hosts_user_makes_a_key_within_five_minutes_of_the_link() {
    let app = TestApp::start();
    let host = host(&app);
    let person = signed_in(&app, &host, "user-123").await;
    let make =
        async |person: &Person| person.create_key(json!({"name": "a", "scopes": ["connections:read"]})).await;
    app.clock.advance(Duration::from_secs(290));
    assert_eq!(make(&person).await.status, 201);
    app.clock.advance(Duration::from_secs(15));
    let refused = make(&person).await;
    assert_eq!(refused.failure(), "403 forbidden");
    let sentence = refused.body["error"].as_str().unwrap();
    assert!(sentence.contains("from the application that you came from again"), "{sentence}");
    let again = signed_in(&app, &host, "user-123").await;
    assert_eq!(make(&again).await.status, 201);
}

#[actix_web::test]
async fn wrong_values_are_named_by_field() {
    let app = TestApp::start();
    let host = host(&app);
    let id_201 = "ä".repeat(201);
    for (body, field) in [
        (json!({"userId": ""}), "userId"),
        (json!({"userId": "me"}), "userId"),
        (json!({"userId": "callback"}), "userId"),
        (json!({"userId": "a\u{0}"}), "userId"),
        (json!({"userId": "a\u{202e}b"}), "userId"),
        (json!({"userId": id_201}), "userId"),
        (json!({"userId": "a", "name": "x".repeat(101)}), "name"),
        (json!({"userId": "a", "returnTo": "https://evil.example"}), "returnTo"),
        (json!({"userId": "a", "returnTo": "//evil.example"}), "returnTo"),
    ] {
        let answer = host.create_link(body.clone()).await;
        assert_eq!(answer.failure(), "422 validation_failed", "{body}");
        assert!(answer.body["fields"][field].is_string(), "{answer}");
    }
}

#[actix_web::test]
async fn a_hosts_user_connects_and_host_and_user_see_the_same() {
    let app = TestApp::start();
    let host = host(&app);
    let person = signed_in(&app, &host, "user-123").await;
    assert_eq!(app.connect(&person, accounts::RECORD_SHOP).await.status, 200);
    let of_person = person.instagram_of("user-123").read().await;
    assert_eq!(of_person.status, 200);
    assert_eq!(host.instagram_of("user-123").read().await.body, of_person.body);
    assert_eq!(host.instagram_of("user-123").disconnect().await.status, 200);
    assert_eq!(person.connection().await.failure(), "404 not_connected");
}

#[actix_web::test]
async fn a_host_connects_its_user_by_key_alone() {
    let app = TestApp::start();
    let mut host = host(&app);
    assert_eq!(host.begin_login("").await.failure(), "403 forbidden", "for whom?");
    let login = host.begin_login("userId=user-123").await;
    let redirect =
        app.instagram.consent(login.body["authUrl"].as_str().unwrap(), Consent::allow(accounts::RECORD_SHOP));
    let query = Url::parse(&redirect).unwrap().query().unwrap().to_owned();
    let of_other = host.callback(&format!("{query}&userId=user-124")).await;
    assert_eq!(of_other.failure(), "400 invalid_state");
    let exchanged = host.callback(&format!("{query}&userId=user-123")).await;
    assert_eq!(exchanged.status, 200, "{exchanged}");
    host.id = "user-124".to_owned();
    assert_eq!(host.save(&exchanged.body).await.failure(), "422 validation_failed", "another user's handle");
    host.id = "user-123".to_owned();
    assert_eq!(host.save(&exchanged.body).await.status, 200);
    assert_eq!(host.instagram_of("user-123").read().await.status, 200);
}

#[actix_web::test]
async fn a_hosts_ids_never_reach_a_local_account_nor_another_of_its_users() {
    let app = TestApp::start();
    let host = host(&app);
    let ada = app.with_connection().await;

    // The host has a user whose id is, letter for letter, that of the local account.
    let twin = signed_in(&app, &host, &ada.id).await;
    assert_eq!(twin.session().await.body["user"]["id"], ada.id);
    let longest = "店".repeat(200);
    let prefixed = format!("host:{}", ada.id);
    let encoded = |id: &str| {
        let mut url = Url::parse("http://host/").unwrap();
        url.path_segments_mut().unwrap().push(id);
        format!("{INSTAGRAM}{}", url.path())
    };
    let others =
        [ada.id.as_str(), &prefixed, "host:", "usr_", "a/b", "a%2Fb", "Göteborg 🎨", "null", &longest, "ADA"];
    for (index, id) in others.iter().enumerate() {
        assert_eq!(host.get(&encoded(id)).await.failure(), "404 not_connected", "{id}");
        let person = signed_in(&app, &host, id).await;
        assert_eq!(person.connection().await.failure(), "404 not_connected", "{id}");
        for (other, other_id) in others.iter().enumerate() {
            let expected = if other == index { "404 not_connected" } else { "403 forbidden" };
            assert_eq!(person.get(&encoded(other_id)).await.failure(), expected, "{id} at {other_id}");
        }
        let who = person.session().await;
        assert_eq!(who.body["user"]["id"], *id);
    }
    for nobody in ["me", ".%20", "%00", "%E2%80%AE", "%FF", &"x".repeat(201)] {
        let path = instagram(nobody);
        let expected = if nobody == ".%20" { "404 not_connected" } else { "403 forbidden" };
        assert_eq!(host.get(&path).await.failure(), expected, "{nobody}");
    }

    // And back: what each of the twins makes is theirs alone.
    assert_eq!(twin.get(&encoded(&ada.id)).await.failure(), "404 not_connected");
    assert_eq!(app.connect(&twin, accounts::CREATOR).await.status, 200);
    let username = |answer: Answer| answer.body["connection"]["username"].as_str().unwrap_or("?").to_owned();
    assert_eq!(username(host.get(&encoded(&ada.id)).await), accounts::CREATOR);
    assert_eq!(username(ada.connection().await), accounts::RECORD_SHOP);
    assert_eq!(host.delete(&encoded(&ada.id)).await.status, 200);
    assert_eq!(username(ada.connection().await), accounts::RECORD_SHOP);
    let key_of_twin = app.with_key(&twin.personal_key(&["connections:read"]).await);
    assert_eq!(key_of_twin.get(&encoded(&ada.id)).await.failure(), "404 not_connected");
    assert_eq!(ada.api_keys().await.body["apiKeys"], json!([]));
}

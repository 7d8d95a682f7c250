//! The encryption key changes while people stay connected.

use std::sync::Arc;
use std::time::Duration;

use connection_store::Store;
use connection_store::test_support::MongoServer;
use instagram_simulator::{Endpoint, Fault, Times, accounts};
use reqwest::Method;
use serde_json::json;
use shared::Provider;

use crate::support::callers::{API_KEYS, SESSION};
use crate::support::{Answer, OFTEN, PASSWORD, Person, TestApp};

const OLD: &str = "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "b:Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";
const BOTH: &str =
    "b:Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=,a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The database, looked at beside the service.
async fn open(url: &str) -> Arc<dyn Store> {
    connection_store::connect(&url.parse().unwrap()).await.unwrap()
}

fn sqlite(app: &TestApp) -> String {
    format!("sqlite:{}", app.database_file().display())
}

/// The sealed token, as soon as it is as wanted.
async fn token(store: &dyn Store, user_id: &str, wanted: impl Fn(&str) -> bool) -> String {
    let mut token = String::new();
    for _ in 0..100 {
        token = store
            .connections(Provider::Instagram)
            .current_connection(user_id)
            .await
            .unwrap()
            .unwrap()
            .access_token;
        if wanted(&token) {
            return token;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("still {token:.8}…");
}

/// A new API key, by a request that can be repeated.
async fn api_key(person: &Person) -> Answer {
    let body = json!({"name": "a", "scopes": ["connections:read"], "password": PASSWORD});
    let request = person.request(Method::POST, API_KEYS).header("idempotency-key", "k1").json(&body);
    Answer::of(request).await
}

async fn rotates(database: Option<&str>) {
    let start = |keys: &'static str| {
        let mut changes = vec![OFTEN, ("TOKEN_ENCRYPTION_KEYS", keys)];
        changes.extend(database.map(|url| ("DATABASE_URL", url)));
        changes
    };
    let app = TestApp::start_with(&start(OLD));
    let ada = app.with_connection().await;
    let url = database.map_or_else(|| sqlite(&app), str::to_owned);
    let store = open(&url).await;
    token(&*store, &ada.id, |token| token.starts_with("v1.a.")).await;
    let made = api_key(&ada).await;
    assert_eq!(made.status, 201, "{made}");

    let app = app.restart_with(&start(BOTH));
    token(&*store, &ada.id, |token| token.starts_with("v1.b.")).await;
    let ada = app.signed_in("ada").await;
    assert_eq!(ada.instagram().sync().await.status, 200);
    for _ in 0..100 {
        if store.answers_sealed_with("a", None, 1).await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let app = app.restart_with(&start(NEW));
    let ada = app.signed_in("ada").await;
    assert_eq!(ada.instagram().sync().await.status, 200, "the old key is not needed any more");
    assert_eq!(ada.connection().await.body["connection"]["status"], "active");
    let again = api_key(&ada).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"), "{again}");
    assert_eq!(again.body, made.body);
}

#[actix_web::test]
async fn failure_22_the_encryption_key_is_changed_with_nobody_looking() {
    rotates(None).await;
}

#[actix_web::test]
async fn failure_22_the_encryption_key_is_changed_on_mongodb() {
    let server = MongoServer::shared();
    rotates(Some(&server.fresh_database_url())).await;
}

#[actix_web::test]
async fn tokens_that_do_not_open_do_not_keep_the_others() {
    let app = TestApp::start_with(&[("TOKEN_ENCRYPTION_KEYS", OLD)]);
    let people = ["ada", "bob", "eve", "kim"];
    let named = [accounts::RECORD_SHOP, accounts::CREATOR, accounts::SPARSE, "fourth"];
    app.instagram.add_account(named[3]);
    let mut ids = Vec::new();
    for (name, account) in people.into_iter().zip(named) {
        let person = app.with_user(name).await;
        assert_eq!(app.connect(&person, account).await.status, 200);
        ids.push(person.id);
    }
    // The first one's token moved to the second; two kinds of rubbish. The last one comes after them all.
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    let spoil = |user: usize, token: &str| {
        let statement = "UPDATE instagram_connections SET access_token = ?1 WHERE user_id = ?2";
        assert_eq!(database.execute(statement, (token, &ids[user])).unwrap(), 1);
    };
    let store = open(&sqlite(&app)).await;
    let moved = token(&*store, &ids[0], |token| token.starts_with("v1.a.")).await;
    spoil(0, "no token at all");
    spoil(1, &moved);
    spoil(2, "v1.a.AAAA");

    let app = app.restart_with(&[OFTEN, ("TOKEN_ENCRYPTION_KEYS", BOTH)]);
    token(&*store, &ids[3], |token| token.starts_with("v1.b.")).await;
    for (user, kept) in [(0, "no token at all"), (1, moved.as_str()), (2, "v1.a.AAAA")] {
        assert_eq!(token(&*store, &ids[user], |_| true).await, kept, "left as it was");
        let person = app.signed_in(people[user]).await;
        assert_eq!(person.connection().await.body["connection"]["status"], "needs_reauthorization");
    }
    // It still works afterwards: a token that comes later is sealed anew, too.
    let kim = app.signed_in("kim").await;
    assert_eq!(kim.instagram().sync().await.status, 200);
    let later = app.signed_in("ada").await;
    app.connect(&later, accounts::RECORD_SHOP).await;
    token(&*store, &ids[0], |token| token.starts_with("v1.b.")).await;
}

/// As in a restart of several services one by one: all know both keys, and the new one is in front at some of them.
#[actix_web::test]
async fn a_renewal_at_the_same_moment_is_not_lost() {
    const SLOW: Fault = Fault::Delay { ms: 3000 };
    let app = TestApp::start_with(&[("TOKEN_ENCRYPTION_KEYS", OLD)]);
    let ada = app.with_connection().await;
    let store = open(&sqlite(&app)).await;
    let before = store.connections(Provider::Instagram).current_connection(&ada.id).await.unwrap().unwrap();
    app.instagram.advance(Duration::from_secs(86_400 * 35));
    app.clock.advance(Duration::from_secs(86_400 * 35));
    app.instagram.fault(Endpoint::Refresh, SLOW, Times::ONCE);
    let old_first = format!("{OLD},{NEW}");
    let patient = ("INSTAGRAM_TIMEOUT_SECONDS", "10");
    let app = app.restart_with(&[("TOKEN_ENCRYPTION_KEYS", &old_first), patient]);
    while app.instagram.requests(Endpoint::Refresh) == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Instagram takes its time. Meanwhile the token that is being renewed is sealed anew, and is another text.
    let _other = app.another(&[OFTEN, ("TOKEN_ENCRYPTION_KEYS", BOTH)]);
    token(&*store, &ada.id, |token| token.starts_with("v1.b.")).await;
    let present = store.connections(Provider::Instagram).current_connection(&ada.id).await.unwrap().unwrap();
    assert_eq!(present.token_expires_at, before.token_expires_at, "sealed anew before it was renewed");
    for _ in 0..100 {
        let after =
            store.connections(Provider::Instagram).current_connection(&ada.id).await.unwrap().unwrap();
        if after.token_expires_at > before.token_expires_at && after.access_token.starts_with("v1.b.") {
            assert_eq!(app.instagram.requests(Endpoint::Refresh), 1, "Instagram was asked once");
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the renewal was lost");
}

/// The cookie by which a browser is known, as it sends it, where an answer sets it.
fn device_cookie(answer: &Answer) -> Option<String> {
    let cookies = answer.headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
    let mut pairs = cookies.filter_map(|cookie| cookie.split(';').next());
    pairs
        .find(|pair| pair.split_once('=').is_some_and(|(name, _)| name.contains("device")))
        .map(str::to_owned)
}

#[actix_web::test]
async fn a_browser_is_known_beyond_a_change_of_keys() {
    const LIMITS: (&str, &str) = ("RATE_LIMITS", "on");
    let start = |keys: &'static str| [("TOKEN_ENCRYPTION_KEYS", keys), LIMITS];
    let credentials = |password: &str| json!({"email": "ada@example.com", "password": password});
    let app = TestApp::start_with(&start(OLD));
    let signed_up = app.anonymous().sign_up(credentials(PASSWORD)).await;
    let old = device_cookie(&signed_up).unwrap();
    assert!(old.contains("=v1.a."), "{old}");
    let all: Vec<_> = signed_up.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
    let all: Vec<_> = all.iter().filter_map(|cookie| cookie.split(';').next()).collect();
    let with = async |app: &TestApp, method: Method, cookie: &str, body: Option<serde_json::Value>| {
        let request = app.anonymous().request(method, SESSION).header("cookie", cookie);
        Answer::of(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    };

    let app = app.restart_with(&start(BOTH));
    let signed_in = with(&app, Method::POST, &old, Some(credentials(PASSWORD))).await;
    let anew = device_cookie(&signed_in).unwrap();
    assert!(anew.contains("=v1.b."), "{anew}");
    // Whoever stays signed in has it renewed as well, once.
    let used = with(&app, Method::GET, &all.join("; "), None).await;
    assert_eq!(used.status, 200, "{used}");
    assert!(device_cookie(&used).unwrap().contains("=v1.b."));
    let session = all.iter().find(|cookie| **cookie != old).unwrap();
    let used = with(&app, Method::GET, &format!("{session}; {anew}"), None).await;
    assert_eq!((used.status, device_cookie(&used)), (200, None), "{used}");

    let app = app.restart_with(&start(NEW));
    for _ in 0..5 {
        let guess = app.anonymous().post(SESSION, credentials("canary-wrong-password")).await;
        assert_eq!(guess.failure(), "401 invalid_credentials");
    }
    app.anonymous().post(SESSION, credentials("canary-wrong-password")).await;
    let unknown = with(&app, Method::POST, &old, Some(credentials(PASSWORD))).await;
    assert_eq!(unknown.failure(), "429 rate_limited", "what the old key sealed is no browser any more");
    let known = with(&app, Method::POST, &anew, Some(credentials(PASSWORD))).await;
    assert_eq!(known.status, 200, "{known}");
}

#[actix_web::test]
async fn a_session_is_prolonged_beside_a_device_cookie_that_is_sealed_anew() {
    let app = TestApp::start_with(&[("TOKEN_ENCRYPTION_KEYS", OLD)]);
    let credentials = json!({"email": "ada@example.com", "password": PASSWORD});
    let signed_up = app.anonymous().sign_up(credentials).await;
    let set = |answer: &Answer| -> Vec<String> {
        let cookies = answer.headers.get_all("set-cookie").iter();
        cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap().to_owned()).collect()
    };
    let app = app.restart_with(&[("TOKEN_ENCRYPTION_KEYS", BOTH)]);
    app.clock.advance(Duration::from_secs(2 * 86_400));
    let request = app.anonymous().request(Method::GET, SESSION);
    let used = Answer::of(request.header("cookie", set(&signed_up).join("; "))).await;
    assert!(device_cookie(&used).unwrap().contains("=v1.b."), "{used}");
    assert!(set(&used).iter().any(|cookie| cookie.starts_with("connect_session=")), "{:?}", set(&used));
}

//! What holds on every path: the error contract, limits, cross-site refusal, CORS, request ids.

use instagram_simulator::accounts;
use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, PASSWORD, TestApp, client};

const ROUTES: [(&str, &[&str]); 8] = [
    ("/api/users", &["POST"]),
    ("/api/session", &["GET", "POST", "DELETE"]),
    ("/auth/instagram/login", &["GET"]),
    ("/auth/instagram/callback", &["GET"]),
    ("/api/integrations/instagram", &["GET"]),
    ("/api/integrations/instagram/me", &["GET", "DELETE"]),
    ("/healthz", &["GET", "HEAD"]),
    ("/readyz", &["GET", "HEAD"]),
];

#[actix_web::test]
async fn a_wrong_method_names_the_right_ones() {
    let app = TestApp::start();
    for (path, allowed) in ROUTES {
        for method in
            ["PUT", "PATCH", "POST", "DELETE", "GET"].into_iter().filter(|method| !allowed.contains(method))
        {
            let answer = Answer::of(app.anonymous().request(method.parse().unwrap(), path)).await;
            assert_eq!(answer.failure(), "405 method_not_allowed", "{method} {path}");
            assert_eq!(answer.header("allow"), allowed.join(", "), "{path}");
        }
    }
}

#[actix_web::test]
async fn an_unknown_path_is_not_found() {
    let app = TestApp::start();
    for path in
        ["/", "/nothing", "/api", "/api/", "/api/users/1", "/%00", "/..%2f..%2fetc/passwd", "/api//session"]
    {
        assert_eq!(app.anonymous().get(path).await.failure(), "404 not_found", "{path}");
    }
}

#[actix_web::test]
async fn a_body_has_to_be_json_of_a_sane_size() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let posts = ["/api/users", "/api/session", "/api/integrations/instagram/callback"];
    for path in posts {
        let post = || ada.request(Method::POST, path);
        let json = |text: &str| post().header("content-type", "application/json").body(text.to_owned());
        for rubbish in ["", "{", "[]", "null", "\"x\"", "{\"email\":1}", "\u{0}", &"[".repeat(5000)] {
            assert_eq!(
                Answer::of(json(rubbish)).await.failure(),
                "400 invalid_request",
                "{path} {rubbish:.20}"
            );
        }
        let text = post().header("content-type", "text/plain").body("{}");
        assert_eq!(Answer::of(text).await.failure(), "415 unsupported_media_type", "{path}");
        assert_eq!(Answer::of(post().body("{}")).await.failure(), "415 unsupported_media_type", "{path}");
        let form = post().header("content-type", "application/x-www-form-urlencoded").body("email=a");
        assert_eq!(Answer::of(form).await.failure(), "415 unsupported_media_type", "{path}");
        let large = format!("{{\"email\":\"{}\"}}", "x".repeat(1024 * 1024));
        assert_eq!(Answer::of(json(&large)).await.failure(), "413 payload_too_large", "{path}");
    }
    let body = vec![b'x'; 1024 * 1024];
    let anonymous =
        app.anonymous().request(Method::POST, posts[2]).header("content-type", "application/json");
    assert_eq!(Answer::of(anonymous.body(body.clone())).await.failure(), "413 payload_too_large");
    let to_nowhere = app.anonymous().request(Method::POST, "/nothing").body(body);
    assert_eq!(Answer::of(to_nowhere).await.failure(), "413 payload_too_large");
}

#[actix_web::test]
async fn a_body_of_unknown_length_is_limited_too() {
    let app = TestApp::start();
    let chunks = (0..64).map(|_| Ok::<_, std::io::Error>(vec![b' '; 16 * 1024]));
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    let request =
        app.anonymous().request(Method::POST, "/api/users").header("content-type", "application/json");
    assert_eq!(Answer::of(request.body(body)).await.failure(), "413 payload_too_large");
}

#[actix_web::test]
async fn a_caller_is_asked_for_before_the_body_is_read() {
    let app = TestApp::start();
    let request = app.anonymous().request(Method::POST, "/api/integrations/instagram/callback");
    let answer = Answer::of(request.header("content-type", "text/plain").body("x".repeat(60_000))).await;
    assert_eq!(answer.failure(), "401 unauthenticated");
}

#[actix_web::test]
async fn another_site_changes_nothing() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    app.connect(&ada, accounts::RECORD_SHOP).await;
    let foreign = [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")];
    for (name, value) in foreign {
        let delete = ada.request(Method::DELETE, "/api/integrations/instagram/me").header(name, value);
        assert_eq!(Answer::of(delete).await.failure(), "403 cross_site_request", "{name}: {value}");
        let sign_out = ada.request(Method::DELETE, "/api/session").header(name, value);
        assert_eq!(Answer::of(sign_out).await.failure(), "403 cross_site_request", "{name}: {value}");
        let sign_in = app.anonymous().request(Method::POST, "/api/session").header(name, value);
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        assert_eq!(
            Answer::of(sign_in.json(&body)).await.failure(),
            "403 cross_site_request",
            "{name}: {value}"
        );
    }
    assert_eq!(ada.connection().await.status, 200);
    let own = ada
        .request(Method::DELETE, "/api/integrations/instagram/me")
        .header("origin", "http://localhost:5176")
        .header("sec-fetch-site", "same-site");
    assert_eq!(Answer::of(own).await.status, 200);
}

#[actix_web::test]
async fn only_the_web_app_reads_answers_from_another_origin() {
    let app = TestApp::start();
    let asked = |origin: &'static str, path: &'static str| {
        Answer::of(app.anonymous().request(Method::GET, path).header("origin", origin))
    };
    for path in ["/api/session", "/nothing", "/healthz"] {
        let own = asked("http://localhost:5176", path).await;
        assert_eq!(own.header("access-control-allow-origin"), "http://localhost:5176", "{path}");
        assert_eq!(own.header("access-control-allow-credentials"), "true", "{path}");
        assert!(own.header("vary").to_lowercase().contains("origin"), "{path}");
        for origin in ["https://evil.example", "http://localhost:5177", "null"] {
            assert_eq!(
                asked(origin, path).await.header("access-control-allow-origin"),
                "",
                "{origin} {path}"
            );
        }
    }
    let preflight = client()
        .request(Method::OPTIONS, format!("{}/api/integrations/instagram/me", app.url))
        .header("origin", "http://localhost:5176")
        .header("access-control-request-method", "DELETE")
        .header("access-control-request-headers", "content-type");
    let answer = Answer::of(preflight).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("access-control-allow-methods").contains("DELETE"));
}

#[actix_web::test]
async fn a_request_id_is_kept_when_it_is_harmless() {
    let app = TestApp::start();
    let with = |id: &'static str| {
        Answer::of(app.anonymous().request(Method::GET, "/healthz").header("x-request-id", id))
    };
    assert_eq!(with("trace-1.A_b").await.header("x-request-id"), "trace-1.A_b");
    for rubbish in ["a b", "a\"b", "", "<script>", "ä"] {
        let answer = with(rubbish).await;
        assert_ne!(answer.header("x-request-id"), rubbish);
        assert_eq!(answer.header("x-request-id").len(), 36);
    }
}

#[actix_web::test]
async fn a_fault_of_ours_tells_nothing_of_its_cause() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    database.execute_batch("DROP TABLE instagram_connections").unwrap();
    let answer = ada.connection().await;
    assert_eq!(answer.failure(), "500 internal");
    assert_eq!(answer.body["error"], "Something went wrong on our side.");
    assert_eq!(ada.get("/api/session").await.status, 200, "and the rest goes on");
}

#[actix_web::test]
async fn header_rubbish_stalls_nobody() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let long = "x".repeat(8000);
    for (name, value) in [
        ("accept", "text/html;q=nonsense, */*;;"),
        ("content-length", "0"),
        ("authorization", "Basic \u{7f}"),
        ("cookie", long.as_str()),
        ("origin", "\u{e9}"),
        ("accept-encoding", "br;q=2,,"),
        ("x-forwarded-for", "' OR 1=1"),
    ] {
        let Ok(value) = reqwest::header::HeaderValue::from_bytes(value.as_bytes()) else { continue };
        let answer = Answer::of(ada.request(Method::GET, "/api/session").header(name, value)).await;
        assert!(answer.status < 500, "{name}: {answer}");
    }
    assert_eq!(ada.get("/api/session").await.status, 200);
}

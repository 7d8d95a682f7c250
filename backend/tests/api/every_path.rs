//! Rules that hold on every path: the error contract, limits, cross-site refusal, CORS, request ids.

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, PASSWORD, TestApp, client};

/// Every path that is served, with something in the place of each name, and its methods in the order of
/// `Allow`.
fn routes() -> Vec<(String, Vec<String>)> {
    let mut routes: Vec<(String, Vec<String>)> = Vec::new();
    for route in backend::app::served_routes() {
        let (method, path) = route.split_once(' ').unwrap();
        let path = path.replace("{provider}", "instagram");
        let path = ["{id}", "{code}"].iter().fold(path, |path, name| path.replace(name, "x"));
        let path = ["{userId}", "{path}"].iter().fold(path, |path, name| path.replace(name, "me"));
        assert!(!path.contains('{'), "{path}: what is to stand for the name?");
        match routes.last_mut() {
            Some((last, methods)) if *last == path => methods.push(method.to_owned()),
            _ => routes.push((path, vec![method.to_owned()])),
        }
    }
    routes
}

#[actix_web::test]
async fn a_wrong_method_names_the_right_ones() {
    let app = TestApp::start();
    let routes = routes();
    assert!(routes.len() >= 30, "{routes:?}");
    for (path, allowed) in routes {
        for method in ["PUT", "PATCH", "POST", "DELETE", "GET"] {
            if allowed.iter().any(|allowed| allowed == method) {
                continue;
            }
            let answer = Answer::of(app.anonymous().request(method.parse().unwrap(), &path)).await;
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
        let fields_in_order = r#"["ada@example.com","canary-password-71b3"]"#;
        for rubbish in [
            fields_in_order,
            "",
            "{",
            "[]",
            "null",
            "{\"email\":\"a\",\"email\":\"b\"}",
            "\"x\"",
            "{\"email\":1}",
            "\u{0}",
            &"[".repeat(5000),
        ] {
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
    let (app, ada) = TestApp::connected().await;
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

/// A service that nobody has told its address, opened by the one that it has in the network.
#[actix_web::test]
async fn failure_24_a_refused_origin_is_named_with_what_is_configured() {
    let app = TestApp::start();
    let sent = |origin: &'static str| {
        let request = app.anonymous().request(Method::POST, "/api/users").header("host", "192.168.1.20:4002");
        let request = request.header("origin", origin).header("sec-fetch-site", "same-origin");
        Answer::of(request.json(&json!({"email": "ada@example.com", "password": PASSWORD})))
    };
    let answer = sent("http://192.168.1.20:4002").await;
    assert_eq!(answer.failure(), "403 cross_site_request");
    assert_eq!(
        answer.body["error"],
        "This request came from a page of http://192.168.1.20:4002 and was refused: this service is set up for \
         http://localhost:4002 and http://localhost:5176. If that page is its own, PUBLIC_URL and FRONTEND_URL have to name \
         the address that browsers use."
    );
    for hostile in ["null", "https://'><script>alert(1)</script>", "https://ann:hunter2@evil.example/hunter2"]
    {
        let answer = sent(hostile).await;
        assert_eq!(answer.failure(), "403 cross_site_request");
        let error = answer.body["error"].as_str().unwrap();
        assert!(error.contains("http://localhost:4002") && error.contains("PUBLIC_URL"), "{error}");
        assert!(!error.contains("script") && !error.contains("hunter2"), "{error}");
    }
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

/// Sends each header by its bytes over a bare connection: a client library refuses some of them.
#[actix_web::test]
async fn header_rubbish_stalls_nobody() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let long = format!("cookie: {}", "x".repeat(8000));
    let rubbish: [(&[u8], u16); 12] = [
        (b"accept: text/html;q=nonsense, */*;;", 401),
        (b"content-length: 0", 401),
        (b"content-length: -1", 400),
        (b"authorization: Basic \x7f", 400),
        (b"authorization: Bearer \xff\xfe", 401),
        (b"authorization:", 401),
        (b"bad name: x", 400),
        (long.as_bytes(), 401),
        ("origin: \u{e9}".as_bytes(), 401),
        (b"accept-encoding: br;q=2,,", 401),
        (b"x-forwarded-for: ' OR 1=1", 401),
        (b"x-request-id: \xff", 401),
    ];
    for (header, status) in rubbish {
        let request = [b"GET /api/session HTTP/1.1\r\nhost: x\r\n", header, b"\r\n\r\n"].concat();
        let answer = raw(&app, request).await;
        let shown = String::from_utf8_lossy(header);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{shown:.40}: {answer}");
    }
    assert_eq!(ada.get("/api/session").await.status, 200);
}

/// Sends bytes, and returns the beginning of what comes back.
async fn raw(app: &TestApp, request: Vec<u8>) -> String {
    use std::io::{Read, Write};
    let address = app.url.trim_start_matches("http://").to_owned();
    let answer = actix_web::rt::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
        stream.write_all(&request).unwrap();
        let mut answer = [0; 4096];
        let length = stream.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    });
    answer.await.unwrap()
}

#[actix_web::test]
async fn a_body_that_never_arrives_is_given_up() {
    let app = TestApp::start();
    let head = "POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{";
    let answer = raw(&app, head.into()).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("invalid_request"), "{answer}");
}

#[actix_web::test]
async fn more_sign_ins_than_can_be_checked_are_told_to_wait() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let body = json!({"email": "ada@example.com", "password": "a wrong password"});
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let burst = (0..cores * 250).map(|_| ada.post("/api/session", body.clone()));
    let answers = futures_util::future::join_all(burst).await;
    let failures: Vec<_> = answers.iter().map(Answer::failure).collect();
    assert!(failures.iter().any(|failure| failure == "401 invalid_credentials"));
    let refused =
        answers.iter().find(|answer| answer.failure() == "429 rate_limited").expect("the line is bounded");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    assert_eq!(app.anonymous().post("/api/session", body).await.status, 200, "and then it works again");
}

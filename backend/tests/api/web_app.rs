//! The web app served from the backend's own origin.

use std::fs;

use reqwest::Method;
use tempfile::TempDir;

use crate::support::{Answer, TestApp};

const PAGE: &str = "<!doctype html><style>body{}</style><script type=\"module\">start()</script><h1>app</h1>";

fn dist() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| fs::write(folder.path().join(name), content).unwrap();
    write("index.html", PAGE);
    write("index.html.br", "brotli page");
    write("frontend-0123456789abcdef.js", "export {}");
    write("frontend-0123456789abcdef.js.br", "brotli script");
    write("frontend-0123456789abcdef.js.gz", "gzip script");
    write("favicon.svg", "<svg/>");
    folder
}

async fn open(app: &TestApp, path: &str, encoding: &str) -> reqwest::Response {
    let client = crate::support::client();
    let request = client.get(format!("{}{path}", app.url)).header("accept", "text/html,*/*;q=0.8");
    request.header("accept-encoding", encoding).send().await.unwrap()
}

#[actix_web::test]
async fn every_path_of_the_app_is_its_page() {
    let dist = dist();
    let app = TestApp::start_with(&[("FRONTEND_DIST", dist.path().to_str().unwrap())]);
    for path in [
        "/",
        "/integrations",
        "/sign-in?next=/x",
        "/auth/instagram/callback?code=a&state=b",
        "/no/such",
        "/index.html",
    ] {
        let response = open(&app, path, "identity").await;
        assert_eq!(response.status(), 200, "{path}");
        let headers = response.headers().clone();
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval' 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        assert!(headers["cache-control"].to_str().unwrap().starts_with("no-"));
        assert_eq!(response.text().await.unwrap(), PAGE, "{path}");
    }
    let compressed = open(&app, "/integrations", "gzip, br").await;
    assert_eq!(compressed.headers()["content-encoding"], "br");
    assert_eq!(compressed.text().await.unwrap(), "brotli page");
}

#[actix_web::test]
async fn files_with_a_hash_are_kept_for_ever_and_sent_compressed() {
    let dist = dist();
    let app = TestApp::start_with(&[("FRONTEND_DIST", dist.path().to_str().unwrap())]);
    let script = open(&app, "/frontend-0123456789abcdef.js", "gzip, br").await;
    assert_eq!(script.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(script.headers()["content-encoding"], "br");
    assert!(script.headers()["content-type"].to_str().unwrap().contains("javascript"));
    assert_eq!(script.headers()["x-content-type-options"], "nosniff");
    assert_eq!(script.text().await.unwrap(), "brotli script");
    let plain = open(&app, "/frontend-0123456789abcdef.js", "identity").await;
    assert!(plain.headers().get("content-encoding").is_none());
    let icon = open(&app, "/favicon.svg", "identity").await;
    assert_eq!(icon.headers()["cache-control"], "no-cache");
}

#[actix_web::test]
async fn the_api_stays_the_api() {
    let dist = dist();
    let app = TestApp::start_with(&[("FRONTEND_DIST", dist.path().to_str().unwrap())]);
    for path in ["/api/nothing", "/missing.js", "/../Cargo.toml", "/%2e%2e/x", "/.env"] {
        assert_eq!(app.anonymous().get(path).await.failure(), "404 not_found", "{path}");
    }
    let posted = Answer::of(app.anonymous().request(Method::POST, "/integrations")).await;
    assert_eq!(posted.failure(), "404 not_found");
    assert_eq!(app.anonymous().get("/auth/instagram/callback").await.failure(), "401 unauthenticated");
    let ada = app.with_user("ada").await;
    assert_eq!(ada.get("/api/session").await.status, 200);
    let page = open(&app, "/api/nothing", "identity").await;
    assert_eq!(page.status(), 404);
}

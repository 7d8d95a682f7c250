//! The web app served from the backend's own origin.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use backend::clock::SystemClock;
use backend::config::{Config, Variables};
use backend::server::Service;
use reqwest::Method;
use tempfile::TempDir;

use crate::support::{Answer, KEYS, TestApp};

/// A build whose files have this hash in their names.
struct Build(&'static str);

const FIRST: Build = Build("0123456789abcdef");
const SECOND: Build = Build("fedcba9876543210");

impl Build {
    fn script(&self) -> String {
        format!("/frontend-{}.js", self.0)
    }

    fn wasm(&self) -> String {
        format!("/frontend-{}_bg.wasm", self.0)
    }

    fn page(&self) -> String {
        format!(
            "<!doctype html><link rel=preload href={}><style>body{{}}</style>\
             <script type=\"module\">import init from '{}'</script><h1>app</h1>",
            self.wasm(),
            self.script()
        )
    }

    fn content_of_script(&self) -> String {
        format!("export {{}} // {}", self.0)
    }

    /// Writes the files with their compressed copies, beside what is there.
    fn write(&self, folder: &Path) {
        write(folder, "/index.html", &self.page());
        write(folder, &self.script(), &self.content_of_script());
        write(folder, &self.wasm(), self.0);
        write(folder, "/favicon.svg", "<svg/>");
    }
}

fn write(folder: &Path, name: &str, content: &str) {
    let file = |extension: &str| folder.join(format!("{}{extension}", &name[1..]));
    fs::write(file(""), content).unwrap();
    let mut brotli = brotli::CompressorWriter::new(fs::File::create(file(".br")).unwrap(), 4096, 5, 22);
    brotli.write_all(content.as_bytes()).unwrap();
    let gzip = fs::File::create(file(".gz")).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(gzip, flate2::Compression::fast());
    gzip.write_all(content.as_bytes()).unwrap();
    gzip.finish().unwrap();
}

/// A folder with the first build.
fn dist() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    FIRST.write(folder.path());
    folder
}

fn start(dist: &TempDir) -> TestApp {
    TestApp::start_with(&[("FRONTEND_DIST", dist.path().to_str().unwrap())])
}

async fn open(app: &TestApp, path: &str, encoding: &str) -> reqwest::Response {
    let client = crate::support::client();
    let request = client.get(format!("{}{path}", app.url)).header("accept", "text/html,*/*;q=0.8");
    request.header("accept-encoding", encoding).send().await.unwrap()
}

#[actix_web::test]
async fn every_path_of_the_app_is_its_page() {
    let dist = dist();
    let app = start(&dist);
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
        assert_eq!(response.text().await.unwrap(), FIRST.page(), "{path}");
    }
    let compressed = open(&app, "/integrations", "gzip, br").await;
    assert_eq!(compressed.headers()["content-encoding"], "br");
    assert_eq!(unpacked(compressed).await, FIRST.page());
}

#[actix_web::test]
async fn spotifys_callback_on_127_0_0_1_is_passed_on_to_where_the_person_is_signed_in() {
    let dist = dist();
    let app = TestApp::start_with(&[
        ("FRONTEND_DIST", dist.path().to_str().unwrap()),
        ("SPOTIFY_CLIENT_ID", "0123456789abcdef0123456789abcdef"),
        ("SPOTIFY_CLIENT_SECRET", "fedcba9876543210fedcba9876543210"),
        ("SPOTIFY_REDIRECT_URI", "http://127.0.0.1:4002/auth/spotify/callback"),
    ]);
    let come_back = |provider, host| {
        let url = format!("{}/auth/{provider}/callback?code=a%2Bb&state=c", app.url);
        let request = crate::support::client().get(url).header("host", host);
        request.header("accept", "text/html,*/*;q=0.8").send()
    };
    let passed_on = come_back("spotify", "127.0.0.1:4002").await.unwrap();
    assert_eq!(passed_on.status(), 303);
    assert_eq!(
        passed_on.headers()["location"],
        "http://localhost:5176/auth/spotify/callback?code=a%2Bb&state=c"
    );
    // The last is a proxy's own name for this server: to pass that on could go round for ever.
    for (provider, host) in
        [("spotify", "localhost:5176"), ("instagram", "127.0.0.1:4002"), ("spotify", "backend:80")]
    {
        assert_eq!(come_back(provider, host).await.unwrap().status(), 200, "{provider} {host}");
    }
}

#[actix_web::test]
async fn files_with_a_hash_are_kept_for_ever_and_sent_compressed() {
    let dist = dist();
    let app = start(&dist);
    let script = open(&app, &FIRST.script(), "gzip, br").await;
    assert_eq!(script.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(script.headers()["content-encoding"], "br");
    assert!(script.headers()["content-type"].to_str().unwrap().contains("javascript"));
    assert_eq!(script.headers()["x-content-type-options"], "nosniff");
    assert_eq!(unpacked(script).await, FIRST.content_of_script());
    let script = open(&app, &FIRST.script(), "gzip").await;
    assert_eq!(script.headers()["content-encoding"], "gzip");
    let plain = open(&app, &FIRST.script(), "identity").await;
    assert!(plain.headers().get("content-encoding").is_none());
    assert!(plain.headers()["vary"].to_str().unwrap().contains("accept-encoding"));
    assert_eq!(plain.text().await.unwrap(), FIRST.content_of_script());
    let program = open(&app, &FIRST.wasm(), "identity").await;
    assert_eq!(program.headers()["content-type"], "application/wasm");
    let icon = open(&app, "/favicon.svg", "identity").await;
    assert_eq!(icon.headers()["cache-control"], "no-cache");
}

#[actix_web::test]
async fn the_api_stays_the_api() {
    let dist = dist();
    let app = start(&dist);
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

#[actix_web::test]
async fn a_file_that_is_known_is_not_sent_again() {
    let dist = dist();
    let app = start(&dist);
    for path in ["/favicon.svg", "/integrations", &FIRST.script()] {
        let first = open(&app, path, "br").await;
        let ask = |tag: &str| {
            let request = crate::support::client().get(format!("{}{path}", app.url));
            request.header("accept", "text/html,*/*;q=0.8").header("if-none-match", tag).send()
        };
        let again = ask(first.headers()["etag"].to_str().unwrap()).await.unwrap();
        assert_eq!(again.status(), 304, "{path}");
        for name in ["etag", "cache-control", "vary"] {
            assert_eq!(again.headers()[name], first.headers()[name], "{path} {name}");
        }
        assert_eq!(
            again.headers().get("content-security-policy"),
            first.headers().get("content-security-policy")
        );
        assert_eq!(ask("W/\"another\"").await.unwrap().status(), 200, "{path}");
    }
}

#[actix_web::test]
async fn failure_29_a_new_build_in_the_folder_changes_nothing_before_the_next_start() {
    let dist = dist();
    let app = start(&dist);
    for entry in fs::read_dir(dist.path()).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    assert_whole(&app, &FIRST).await;
    SECOND.write(dist.path());
    assert_whole(&app, &FIRST).await;
    assert_eq!(app.anonymous().get(&SECOND.script()).await.failure(), "404 not_found");
    fs::remove_dir_all(dist.path()).unwrap();
    assert_whole(&app, &FIRST).await;

    fs::create_dir(dist.path()).unwrap();
    SECOND.write(dist.path());
    assert_whole(&start(&dist), &SECOND).await;
}

/// Asserts that the page is this build's, and that each file that it names is there, however it is sent.
async fn assert_whole(app: &TestApp, build: &Build) {
    for encoding in ["identity", "gzip", "br"] {
        let page = open(app, "/integrations", encoding).await;
        assert_eq!(page.status(), 200);
        assert_eq!(unpacked(page).await, build.page());
        for (path, content) in
            [(build.script(), build.content_of_script()), (build.wasm(), build.0.to_owned())]
        {
            let file = open(app, &path, encoding).await;
            assert_eq!(file.status(), 200, "{path}");
            assert_eq!(unpacked(file).await, content);
        }
    }
    assert_eq!(app.anonymous().get("/readyz").await.status, 200);
}

#[actix_web::test]
async fn files_of_the_build_before_are_served_where_they_are_kept() {
    let dist = dist();
    SECOND.write(dist.path());
    let app = start(&dist);
    assert_whole(&app, &SECOND).await;
    for path in [FIRST.script(), FIRST.wasm()] {
        let file = open(&app, &path, "br").await;
        assert_eq!(file.status(), 200, "{path}");
        assert_eq!(file.headers()["cache-control"], "public, max-age=31536000, immutable");
    }
}

#[actix_web::test]
async fn a_compressed_copy_of_another_build_is_left_out() {
    let dist = dist();
    // As files are that were copied over those of a build that had compressed ones.
    fs::write(dist.path().join("index.html"), SECOND.page()).unwrap();
    fs::write(dist.path().join(&SECOND.script()[1..]), SECOND.content_of_script()).unwrap();
    fs::write(dist.path().join(&SECOND.wasm()[1..]), SECOND.0).unwrap();
    let app = start(&dist);
    let page = open(&app, "/integrations", "br").await;
    assert!(page.headers().get("content-encoding").is_none());
    assert_whole(&app, &SECOND).await;
}

#[actix_web::test]
async fn a_page_without_its_files_stops_the_start() {
    for missing in [FIRST.script(), FIRST.wasm()] {
        let dist = dist();
        fs::remove_file(dist.path().join(&missing[1..])).unwrap();
        let database = format!("sqlite:{}", dist.path().join("test.db").display());
        let pairs = [
            ("TOKEN_ENCRYPTION_KEYS", KEYS),
            ("BIND_ADDRESS", "127.0.0.1:0"),
            ("DATABASE_URL", database.as_str()),
            ("FRONTEND_DIST", dist.path().to_str().unwrap()),
        ];
        let config = Config::from_env(&Variables::from_iter(pairs)).unwrap();
        let started = Service::start(&config, Arc::new(SystemClock)).await;
        let error = started.err().unwrap().to_string();
        assert!(error.starts_with("FRONTEND_DIST: "), "{error}");
        assert!(error.contains(&missing), "{error}");
    }
}

#[actix_web::test]
async fn hidden_files_and_compressed_copies_are_no_addresses() {
    let dist = dist();
    fs::write(dist.path().join(".env"), "SECRET=canary").unwrap();
    fs::create_dir_all(dist.path().join(".git/x")).unwrap();
    fs::write(dist.path().join(".git/x/config"), "canary").unwrap();
    fs::create_dir_all(dist.path().join("assets/deep")).unwrap();
    fs::write(dist.path().join("assets/deep/a.txt"), "grüße").unwrap();
    let app = start(&dist);
    let copy = format!("{}.br", FIRST.script());
    for path in ["/.env", "/.git/x/config", "/index.html.br", &copy, "/assets/deep"] {
        assert_eq!(app.anonymous().get(path).await.failure(), "404 not_found", "{path}");
    }
    let text = open(&app, "/assets/deep/a.txt", "br").await;
    assert_eq!(text.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(text.text().await.unwrap(), "grüße");
}

/// The content as it was before it was compressed.
async fn unpacked(response: reqwest::Response) -> String {
    let encoding = response.headers().get("content-encoding").map(|value| value.to_str().unwrap().to_owned());
    let bytes = response.bytes().await.unwrap();
    let mut text = String::new();
    match encoding.as_deref() {
        Some("br") => brotli::Decompressor::new(&bytes[..], 4096).read_to_string(&mut text).unwrap(),
        Some("gzip") => flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap(),
        _ => (&bytes[..]).read_to_string(&mut text).unwrap(),
    };
    text
}

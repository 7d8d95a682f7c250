//! The binary itself: how it starts, refuses to start, and stops.

use std::process::Command;
use std::time::{Duration, Instant};

use instagram_simulator::{Consent, Endpoint, Fault, Times, accounts};

use crate::support::callers::{CALLBACK, LOGIN, USERS};
use crate::support::{PASSWORD, Process, client, instagram_variables, simulator};

#[test]
fn it_starts_with_nothing_configured_and_stops_on_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&folder, &[]);
    assert!(folder.path().join("data/instagram.db").exists());
    assert!(folder.path().join("data/instagram.db.keys").exists());
    let asked = Instant::now();
    process.terminate();
    let status = process.child.wait().unwrap();
    assert!(status.success(), "{status}");
    assert!(asked.elapsed() < Duration::from_secs(10));
}

#[actix_web::test]
async fn a_running_request_is_finished_before_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let instagram = simulator();
    let of_instagram = instagram_variables(&instagram);
    let variables: Vec<_> = of_instagram.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut process = Process::start(&folder, &variables);
    let client = client();
    let at = |path: &str| format!("{}{path}", process.url);
    let body = serde_json::json!({"email": "ada@example.com", "password": PASSWORD});
    client.post(at(USERS)).json(&body).send().await.unwrap();
    let login = client.get(at(LOGIN)).send().await.unwrap();
    let login: serde_json::Value = login.json().await.unwrap();
    let redirect =
        instagram.consent(login["authUrl"].as_str().unwrap(), Consent::allow(accounts::RECORD_SHOP));
    let query = redirect.split_once('?').unwrap().1.trim_end_matches("#_").to_owned();
    instagram.fault(Endpoint::CodeExchange, Fault::Delay { ms: 1000 }, Times::ONCE);
    let fetch = client.get(at(&format!("{CALLBACK}?{query}"))).header("accept", "application/json");
    let fetch = tokio::spawn(fetch.send());
    while instagram.requests(Endpoint::CodeExchange) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    process.terminate();
    assert_eq!(fetch.await.unwrap().unwrap().status(), 200);
    assert!(process.child.wait().unwrap().success());
}

#[test]
fn the_start_says_from_when_on_another_refresh_window_holds() {
    let folder = tempfile::tempdir().unwrap();
    for (days, lines) in [("20", 1), ("30", 0)] {
        let mut process = Process::start(&folder, &[("REFRESH_WINDOW_DAYS", days)]);
        assert_eq!(process.lines_at_the_end("REFRESH_WINDOW_DAYS").len(), lines, "{days}");
    }
}

#[test]
fn a_wrong_value_stops_the_start_with_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let output = Process::command(&folder, &[("LOG_FORMAT", "xml")]).output().unwrap();
    assert!(!output.status.success());
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(message, "instagram-connect: LOG_FORMAT: expected pretty or json\n");
}

#[test]
fn a_generated_key_is_one_that_the_service_takes() {
    let generate = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_instagram-connect"))
            .args(["keys", "generate"])
            .args(arguments)
            .output();
        let output = output.unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let (_, first) = generate(&["--id", "2026-11"]);
    assert!(first.starts_with("2026-11:"), "an entry, ready to be pasted");
    assert_ne!(generate(&[]).1, generate(&[]).1);
    assert!(!generate(&["--id", "a:b"]).0);
    let folder = tempfile::tempdir().unwrap();
    drop(Process::start(&folder, &[("TOKEN_ENCRYPTION_KEYS", first.trim())]));
}

#[test]
fn a_taken_port_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Process::command(&folder, &[("BIND_ADDRESS", &address)]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains(&format!("cannot listen on {address}")));
}

#[test]
fn failure_28_variables_come_from_a_file_as_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    for (line, file) in [
        ("DATABASE_URL=sqlite:./elsewhere/x.db", "elsewhere/x.db"),
        ("DATABASE_URL=sqlite:./pa$word.db", "pa$word.db"),
        ("DATABASE_URL=\"sqlite:./pa$$word.db\"", "pa$$word.db"),
        ("DATABASE_URL='sqlite:./${HOME}.db'", "${HOME}.db"),
        (r"DATABASE_URL=sqlite:./pa\nword.db", r"pa\nword.db"),
        ("DATABASE_URL=\"sqlite:./pa\\word.db\"", r"pa\word.db"),
    ] {
        std::fs::write(folder.path().join(".env"), format!("# {line}\n{line}\n")).unwrap();
        drop(Process::start(&folder, &[]));
        assert!(folder.path().join(file).exists(), "{line}");
    }
    let pa = folder.path().join("pa.db");
    assert!(!pa.exists(), "nothing was cut off");
}

#[test]
fn a_broken_line_of_the_file_is_named_by_its_number_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    for line in ["hunter2", "META_APP_SECRET=\"hunter2", "META_APP_SECRET=hunter2 # hunter2"] {
        std::fs::write(folder.path().join(".env"), format!("LOG_FORMAT=json\n\n{line}\n")).unwrap();
        let output = Process::command(&folder, &[]).output().unwrap();
        assert!(!output.status.success());
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.starts_with("instagram-connect: .env: expected NAME=value in line 3"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn failure_27_quotation_marks_around_a_value_stop_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let output = Process::command(&folder, &[("INSTAGRAM_APP_ID", "\"1377811407203207\"")]).output().unwrap();
    assert!(!output.status.success());
    let message = String::from_utf8(output.stderr).unwrap();
    let expected = "instagram-connect: INSTAGRAM_APP_ID: expected a value without quotation marks; this one has a \" at its \
                    beginning or end\n";
    assert_eq!(message, expected);
}

#[actix_web::test]
async fn refused_origins_are_told_in_one_line_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&folder, &[]);
    for origin in ["http://192.168.1.20:4002", "https://evil.example", "null"] {
        let request = client().post(format!("{}/api/users", process.url)).header("origin", origin);
        assert_eq!(request.send().await.unwrap().status(), 403);
    }
    let lines = process.lines_at_the_end("refused a request of another site");
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = &lines[0];
    assert_eq!(line["came_from"], "http://192.168.1.20:4002", "{line}");
    assert_eq!(line["public_url"], "http://localhost:4002", "{line}");
    assert_eq!(line["frontend_url"], "http://localhost:5176", "{line}");
    let message = line["message"].as_str().unwrap();
    assert!(message.contains("PUBLIC_URL") && message.contains("FRONTEND_URL"), "{line}");
}

#[actix_web::test]
async fn failure_30_a_proxy_that_is_not_trusted_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    for (trusted, told) in [("", 1), ("10.0.0.0/8", 1), ("127.0.0.1", 0)] {
        let mut process = Process::start(&folder, &[("TRUSTED_PROXIES", trusted)]);
        let ask = async |forwarded: Option<&str>| {
            let mut request = client().get(format!("{}/api/session", process.url));
            if let Some(address) = forwarded {
                request = request.header("x-forwarded-for", address);
            }
            assert_eq!(request.send().await.unwrap().status(), 401);
        };
        ask(None).await;
        for address in ["198.51.100.1", "198.51.100.2", "hunter2"] {
            ask(Some(address)).await;
        }
        let lines = process.lines_at_the_end("TRUSTED_PROXIES");
        assert_eq!(lines.len(), told, "{trusted}: {lines:?}");
        for line in lines {
            assert_eq!((&line["level"], &line["peer"]), (&"WARN".into(), &"127.0.0.1".into()), "{line}");
            assert!(
                !line.to_string().contains("198.51.100") && !line.to_string().contains("hunter2"),
                "{line}"
            );
        }
    }
}

//! The binary itself: how it starts, refuses to start, and stops.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use instagram_simulator::{Consent, Endpoint, Fault, Times, accounts};
use tempfile::TempDir;

use crate::support::{PASSWORD, client, instagram_variables, simulator};

/// The service as a process of its own.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) url: String,
    /// Everything it has printed so far.
    pub(crate) output: std::sync::Arc<std::sync::Mutex<String>>,
}

impl Process {
    /// Starts the binary and waits until it listens.
    pub(crate) fn start(folder: &TempDir, variables: &[(&str, &str)]) -> Self {
        let mut child =
            command(folder, variables).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
        let (found, address) = std::sync::mpsc::channel();
        let streams: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let (output, found) = (std::sync::Arc::clone(&output), found.clone());
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if let Ok(event) = serde_json::from_str::<serde_json::Value>(&line)
                        && event["message"] == "listening"
                    {
                        let _ = found.send(event["address"].as_str().unwrap_or_default().to_owned());
                    }
                    let mut output = output.lock().unwrap();
                    output.push_str(&line);
                    output.push('\n');
                }
            });
        }
        let address = address.recv_timeout(Duration::from_secs(20));
        let address = address.unwrap_or_else(|_| panic!("it did not start: {}", output.lock().unwrap()));
        Self { child, url: format!("http://{address}"), output }
    }

    pub(crate) fn terminate(&self) {
        let kill = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(kill.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(folder: &TempDir, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_instagram-connect"));
    command
        .env_clear()
        .current_dir(folder.path())
        .env("BIND_ADDRESS", "127.0.0.1:0")
        .env("LOG_FORMAT", "json")
        .envs(variables.iter().copied());
    command
}

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
    client.post(at("/api/users")).json(&body).send().await.unwrap();
    let login = client.get(at("/auth/instagram/login")).send().await.unwrap();
    let login: serde_json::Value = login.json().await.unwrap();
    let redirect =
        instagram.consent(login["authUrl"].as_str().unwrap(), Consent::allow(accounts::RECORD_SHOP));
    let query = redirect.split_once('?').unwrap().1.trim_end_matches("#_").to_owned();
    instagram.fault(Endpoint::CodeExchange, Fault::Delay { ms: 1000 }, Times::ONCE);
    let fetch =
        client.get(at(&format!("/auth/instagram/callback?{query}"))).header("accept", "application/json");
    let fetch = tokio::spawn(fetch.send());
    while instagram.requests(Endpoint::CodeExchange) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    process.terminate();
    assert_eq!(fetch.await.unwrap().unwrap().status(), 200);
    assert!(process.child.wait().unwrap().success());
}

#[test]
fn a_wrong_value_stops_the_start_with_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(&folder, &[("LOG_FORMAT", "xml")]).output().unwrap();
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
    let output = command(&folder, &[("BIND_ADDRESS", &address)]).output().unwrap();
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
        let output = command(&folder, &[]).output().unwrap();
        assert!(!output.status.success());
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.starts_with("instagram-connect: .env: expected NAME=value in line 3"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn failure_27_quotation_marks_around_a_value_stop_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(&folder, &[("INSTAGRAM_APP_ID", "\"1377811407203207\"")]).output().unwrap();
    assert!(!output.status.success());
    let message = String::from_utf8(output.stderr).unwrap();
    let expected = "instagram-connect: INSTAGRAM_APP_ID: expected a value without quotation marks; this one has a \" at its \
                    beginning or end\n";
    assert_eq!(message, expected);
}

/// Waits until the process has printed this.
fn wait_for(process: &Process, text: &str) -> String {
    let started = Instant::now();
    loop {
        let output = process.output.lock().unwrap().clone();
        if output.contains(text) {
            return output;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "no {text:?} in {output}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The lines of a process's log that say this, once it has stopped.
fn lines_at_the_end(process: &mut Process, text: &str) -> Vec<serde_json::Value> {
    process.terminate();
    assert!(process.child.wait().unwrap().success());
    let output = wait_for(process, "\"stopped\"");
    let lines = output.lines().filter(|line| line.contains(text));
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[actix_web::test]
async fn refused_origins_are_told_in_one_line_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&folder, &[]);
    for origin in ["http://192.168.1.20:4002", "https://evil.example", "null"] {
        let request = client().post(format!("{}/api/users", process.url)).header("origin", origin);
        assert_eq!(request.send().await.unwrap().status(), 403);
    }
    let lines = lines_at_the_end(&mut process, "refused a request of another site");
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
        let lines = lines_at_the_end(&mut process, "TRUSTED_PROXIES");
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

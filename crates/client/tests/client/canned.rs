//! A server that gives fixed answers, byte for byte and one after the other, and remembers what it was asked.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use instagram_connect_client::{Client, Retries};

pub(crate) const KEY: &str = "igc_live_canary-key-5d1f";

/// A running server, and a client of it whose own pauses are too short to wait for.
pub(crate) struct Canned {
    pub(crate) client: Client,
    requests: Arc<Mutex<Vec<(Instant, String)>>>,
}

impl Canned {
    /// Gives these answers, and the last of them for ever. An empty one is a connection that is closed without an answer.
    pub(crate) fn answers(answers: &[&str]) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), answers)
    }

    /// The same, where this listens.
    pub(crate) fn on(listener: TcpListener, answers: &[&str]) -> Self {
        let client = client_of(&format!("http://{}", listener.local_addr().unwrap()));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let mut answers: Vec<String> = answers.iter().map(|&answer| answer.to_owned()).collect();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read_request(&mut stream);
                seen.lock().unwrap().push((Instant::now(), request));
                let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { client, requests }
    }

    /// Returns the requests so far, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|(_, request)| request.clone()).collect()
    }

    /// The time between the first two requests.
    pub(crate) fn pause(&self) -> Duration {
        let requests = self.requests.lock().unwrap();
        requests[1].0 - requests[0].0
    }
}

/// A client that tries up to four times, and waits for up to two seconds where it is asked to.
pub(crate) fn client_of(url: &str) -> Client {
    let (first_pause, longest_pause) = (Duration::from_millis(1), Duration::from_secs(2));
    Client::new(url, KEY).unwrap().with_retries(Retries { times: 3, first_pause, longest_pause })
}

/// An answer with this status, further header lines and body.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Whatever\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// A refusal as the contract has it.
pub(crate) fn refusal(status: u16, code: &str, retry_after: Option<u64>) -> String {
    let more = retry_after.map_or_else(String::new, |seconds| format!(",\"retryAfter\":{seconds}"));
    let body =
        format!("{{\"ok\":false,\"error\":\"No.\",\"code\":\"{code}\",\"requestId\":\"req-1\"{more}}}");
    answer(status, "Content-Type: application/json\r\n", &body)
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text.into_owned();
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return String::from_utf8_lossy(&request).into_owned(),
            Ok(count) => request.extend_from_slice(&buffer[..count]),
        }
    }
}

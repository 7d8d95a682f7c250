//! Stand-ins for the tests of clients: a server that gives one fixed answer, byte for byte, and remembers what it was asked, for the
//! answers that no decent HTTP library would send, a log that is kept, and answers made from random bytes.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

/// A running server. It goes on running when this is dropped.
pub struct Canned {
    /// Its address, without a slash at the end.
    pub base: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Canned {
    /// Answers `200` with this JSON.
    #[must_use]
    pub fn json(body: &str) -> Self {
        Self::answer(200, &["Content-Type: application/json; charset=UTF-8"], body)
    }

    /// Answers with this status, headers and body.
    #[must_use]
    pub fn answer(status: u16, headers: &[&str], body: &str) -> Self {
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let length = body.len();
        Self::raw(format!(
            "HTTP/1.1 {status} Whatever\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ))
    }

    /// Answers with these bytes and closes the connection.
    #[must_use]
    pub fn raw(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |stream| {
            let _ = stream.write_all(&answer);
        })
    }

    /// Takes the request and never answers.
    #[must_use]
    pub fn silent() -> Self {
        Self::start(|_| thread::sleep(Duration::from_secs(30)))
    }

    fn start(answer: impl Fn(&mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read_request(&mut stream);
                seen.lock().unwrap().push(request);
                answer(&mut stream);
            }
        });
        Self { base, requests }
    }

    /// Returns the only request so far, head and body.
    ///
    /// # Panics
    /// Where there was none, or more than one.
    #[must_use]
    pub fn request(&self) -> String {
        let requests = self.requests.lock().unwrap();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests[0].clone()
    }
}

/// A log in memory, to look for secrets in. Clones are the same log.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Returns all that was written.
    ///
    /// # Panics
    /// Where it is no UTF-8.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes an answer from random bytes, for the fuzz targets in `crates/fuzz`. The first byte chooses the status; the value of
/// `Retry-After` stands before the first empty line.
#[must_use]
pub fn random_answer(bytes: &[u8]) -> Option<(StatusCode, HeaderMap, Vec<u8>)> {
    let (&choice, rest) = bytes.split_first()?;
    let status = [200, 400, 401, 403, 404, 429, 500, 503][usize::from(choice % 8)];
    let (header, body) = match rest.windows(2).position(|two| two == b"\n\n") {
        Some(end) => (&rest[..end], &rest[end + 2..]),
        None => (&[][..], rest),
    };
    let header = HeaderValue::from_bytes(header).into_iter().map(|value| (RETRY_AFTER, value));
    Some((StatusCode::from_u16(status).ok()?, header.collect(), body.to_vec()))
}

/// Gives every file of a fuzz target's committed corpus to what the target calls.
///
/// # Panics
/// Where there is no such corpus, or `read` panics.
pub fn read_corpus(target: &str, read: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let files: Vec<_> = fs::read_dir(folder).unwrap().collect();
    assert!(!files.is_empty());
    files.into_iter().for_each(|file| read(&fs::read(file.unwrap().path()).unwrap()));
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return text.into_owned();
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return String::from_utf8_lossy(&request).into_owned(),
            Ok(count) => request.extend_from_slice(&buffer[..count]),
        }
    }
}

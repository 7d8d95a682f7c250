//! A server that gives one fixed answer, byte for byte, and remembers what it was asked: for the answers that no decent
//! HTTP library would send.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use instagram_client::{AccessToken, Config, InstagramClient};
use url::Url;

pub(crate) const APP_ID: &str = "1377811407203207";
pub(crate) const APP_SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const REDIRECT_URI: &str = "https://example.com/auth/instagram/callback";
pub(crate) const TOKEN: &str = "IGAAStoredToken0123456789abcdefghijklmnopqrstuvwxyz";

/// A running server, and a client that takes it for Instagram.
pub(crate) struct Canned {
    pub(crate) client: InstagramClient,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Canned {
    /// Answers `200` with this JSON.
    pub(crate) fn json(body: &str) -> Self {
        Self::answer(200, &["Content-Type: application/json; charset=UTF-8"], body)
    }

    /// Answers with this status, headers and body.
    pub(crate) fn answer(status: u16, headers: &[&str], body: &str) -> Self {
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let length = body.len();
        Self::raw(format!(
            "HTTP/1.1 {status} Whatever\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ))
    }

    /// Answers with these bytes and closes the connection.
    pub(crate) fn raw(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |stream| {
            let _ = stream.write_all(&answer);
        })
    }

    /// Takes the request and never answers.
    pub(crate) fn silent() -> Self {
        Self::start(|_| thread::sleep(Duration::from_secs(30)))
    }

    fn start(answer: impl Fn(&mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = client_of(&format!("http://{}", listener.local_addr().unwrap()));
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
        Self { client, requests }
    }

    /// The only request so far, head and body.
    pub(crate) fn request(&self) -> String {
        let requests = self.requests.lock().unwrap();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests[0].clone()
    }
}

/// A client for Instagram at `base`, with a timeout short enough to wait for.
pub(crate) fn client_of(base: &str) -> InstagramClient {
    let url = |path: &str| Url::parse(&format!("{base}{path}")).unwrap();
    let defaults = Config::new(APP_ID.to_owned(), APP_SECRET.into(), REDIRECT_URI.to_owned());
    InstagramClient::new(Config {
        authorize_url: url("/oauth/authorize"),
        token_url: url("/oauth/access_token"),
        graph_url: url("/"),
        timeout: Duration::from_millis(1500),
        ..defaults
    })
    .unwrap()
}

/// A stored token.
pub(crate) fn token() -> AccessToken {
    TOKEN.to_owned().into()
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

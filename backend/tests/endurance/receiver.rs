//! A receiver of webhooks that answers when it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

/// Holds the ids of the messages that arrived, and the channel for its answers.
pub(crate) struct Receiver {
    url: String,
    /// The messages' ids, in the order of their arrival.
    got: Arc<Mutex<Vec<String>>>,
    answers: mpsc::Sender<()>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let got: Arc<Mutex<Vec<String>>> = Arc::default();
        let (answers, may_answer) = mpsc::channel();
        let seen = Arc::clone(&got);
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let Some(id) = message_id(&stream) else { continue };
                seen.lock().unwrap().push(id);
                if may_answer.recv().is_err() {
                    return;
                }
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
            }
        });
        Self { url, got, answers }
    }

    /// Returns the variables that a service needs to tell it of everything.
    pub(crate) fn variables(&self) -> [(&str, &str); 3] {
        [
            ("OUTBOUND_WEBHOOK_URLS", &self.url),
            ("OUTBOUND_WEBHOOK_SECRET", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
            ("OUTBOUND_WEBHOOK_ALLOW_PRIVATE", "true"),
        ]
    }

    /// Says 204 to one message.
    pub(crate) fn answer(&self) {
        self.answers.send(()).unwrap();
    }

    /// The ids of the messages, once there are as many.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<String> {
        for _ in 0..200 {
            let got = self.got.lock().unwrap().clone();
            if got.len() >= count {
                return got;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{count} messages should be here: {:?}", self.got.lock().unwrap());
    }
}

/// Reads a request to its end. `None`: it was cut off.
fn message_id(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let (mut id, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line == "\r\n" {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "webhook-id" => id = Some(value.to_owned()),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    id
}

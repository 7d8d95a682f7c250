//! Many keep-alive connections that ask for one thing, as fast as they are answered.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::Server;

/// What a server did under load.
pub(crate) struct Load {
    pub(crate) requests_per_second: f64,
    /// The server's own processor time a request.
    pub(crate) cpu_microseconds: f64,
}

/// Asks for the caller's connection on `connections` sockets for `time`.
pub(crate) async fn run(
    url: &str,
    cookie: &str,
    connections: usize,
    time: Duration,
    server: &Server,
) -> Load {
    let address = url.trim_start_matches("http://").to_owned();
    let request = format!(
        "GET /api/integrations/instagram/me HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\nCookie: {cookie}\r\n\r\n"
    );
    let cpu_before = server.cpu_seconds();
    let started = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(ask(address.clone(), request.clone(), started + time)))
        .collect();
    let mut requests = 0_u64;
    for task in tasks {
        requests += task.await.expect("no task panics");
    }
    let elapsed = started.elapsed().as_secs_f64();
    let cpu = server.cpu_seconds() - cpu_before;
    Load {
        requests_per_second: requests as f64 / elapsed,
        cpu_microseconds: cpu * 1e6 / requests.max(1) as f64,
    }
}

/// How many times it was answered 200 before the end.
async fn ask(address: String, request: String, end: Instant) -> u64 {
    let mut stream = TcpStream::connect(&address).await.expect("the server accepts");
    stream.set_nodelay(true).expect("a TCP option");
    let mut buffer = vec![0_u8; 16 * 1024];
    let mut answered = 0;
    while Instant::now() < end {
        stream.write_all(request.as_bytes()).await.expect("the server reads");
        let mut filled = 0;
        loop {
            let read = stream.read(&mut buffer[filled..]).await.expect("the server answers");
            assert!(read > 0, "the server hung up");
            filled += read;
            if is_whole(&buffer[..filled]) {
                break;
            }
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..filled]));
        answered += 1;
    }
    answered
}

/// Whether the headers and as many bytes as they promise are there.
pub(crate) fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
    length.is_some_and(|length| answer.len() >= end + 4 + length)
}

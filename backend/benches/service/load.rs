//! Many keep-alive connections that ask for one thing, as fast as they are answered.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::Server;

/// More than any answer has.
pub(crate) const BUFFER: usize = 16 * 1024;

/// What a server did under load.
pub(crate) struct Load {
    /// Answers 200.
    pub(crate) requests_per_second: f64,
    /// The part of the requests that was answered 503.
    pub(crate) refused: f64,
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
    let request = request(&address, cookie);
    let cpu_before = server.cpu_seconds();
    let started = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(ask(address.clone(), request.clone(), started + time)))
        .collect();
    let (mut requests, mut refused) = (0_u64, 0_u64);
    for task in tasks {
        let of_one = task.await.expect("no task panics");
        requests += of_one.0;
        refused += of_one.1;
    }
    let elapsed = started.elapsed().as_secs_f64();
    let cpu = server.cpu_seconds() - cpu_before;
    Load {
        requests_per_second: requests as f64 / elapsed,
        refused: refused as f64 / (requests + refused).max(1) as f64,
        cpu_microseconds: cpu * 1e6 / requests.max(1) as f64,
    }
}

/// Asks until the end. Returns how many answers were 200, and how many were refusals.
async fn ask(address: String, request: String, end: Instant) -> (u64, u64) {
    let mut stream = connect(&address).await;
    let mut buffer = vec![0_u8; BUFFER];
    let (mut answered, mut refused) = (0, 0);
    while Instant::now() < end {
        match exchange(&mut stream, &request, &mut buffer).await {
            Some(200) => answered += 1,
            Some(503) => refused += 1,
            _ => panic!("{}", String::from_utf8_lossy(&buffer)),
        }
    }
    (answered, refused)
}

/// The request for the caller's connection.
pub(crate) fn request(address: &str, cookie: &str) -> String {
    format!(
        "GET /api/integrations/instagram/me HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\nCookie: {cookie}\r\n\r\n"
    )
}

/// A socket to the server.
pub(crate) async fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).await.expect("the server accepts");
    stream.set_nodelay(true).expect("a TCP option");
    stream
}

/// The answer's status; `None` when the server hung up.
pub(crate) async fn exchange(stream: &mut TcpStream, request: &str, buffer: &mut [u8]) -> Option<u16> {
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut filled = 0;
    while !is_whole(&buffer[..filled]) {
        match stream.read(&mut buffer[filled..]).await {
            Ok(read) if read > 0 => filled += read,
            _ => return None,
        }
    }
    std::str::from_utf8(buffer.get(9..12)?).ok()?.parse().ok()
}

/// Whether the headers and as many bytes as they promise are there.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
    length.is_some_and(|length| answer.len() >= end + 4 + length)
}

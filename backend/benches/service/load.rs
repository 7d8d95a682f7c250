//! Makes load: asks for one thing over many keep-alive connections, as fast as it is answered or at a steady rate.
//!
//! One thread waits for all connections at once and makes nothing for a request: what it costs to ask, the server cannot be
//! asked.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::server::Server;

/// After this time a request is given up, as its client would: one of open load, or of clients who wait for their answers.
const PATIENCE: Duration = Duration::from_secs(1);
const LONG_PATIENCE: Duration = Duration::from_secs(30);

/// Separates two looks for what is to be given up.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Performance of a server under load.
pub(crate) struct Load {
    /// Answers 200.
    pub(crate) requests_per_second: f64,
    /// The part of the requests that was answered 503.
    pub(crate) refused: f64,
    /// The server's own processor time a request.
    pub(crate) cpu_microseconds: f64,
}

/// Has `connections` clients, who wait for their answers, ask for the caller's connection for `time`.
pub(crate) async fn run(server: &Server, cookie: &str, connections: usize, time: Duration) -> Load {
    let cpu_before = server.cpu_seconds();
    let started = Instant::now();
    let outcome = offer(server, cookie, Demand { connections, per_second: None, time }).await;
    let elapsed = started.elapsed().as_secs_f64();
    let cpu = server.cpu_seconds() - cpu_before;
    assert_eq!(outcome.lost, 0, "each request is answered");
    let (served, refused) = (outcome.served.len() as f64, outcome.refused.len() as f64);
    Load {
        requests_per_second: served / elapsed,
        refused: refused / (served + refused).max(1.0),
        cpu_microseconds: cpu * 1e6 / served.max(1.0),
    }
}

/// Load to put on a server.
pub(crate) struct Demand {
    /// Any that is free takes the next request.
    pub(crate) connections: usize,
    /// Requests that are made a second, whether or not the answers keep up; `None` makes one whenever a connection is free.
    pub(crate) per_second: Option<f64>,
    pub(crate) time: Duration,
}

/// Holds the result of a load. Times are from when a request was to be made to its answer.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) served: Vec<Duration>,
    pub(crate) refused: Vec<Duration>,
    /// Not answered in time, or not asked because no connection was free.
    pub(crate) lost: u64,
}

/// Asks for the caller's connection as often as is demanded.
pub(crate) async fn offer(server: &Server, cookie: &str, demand: Demand) -> Outcome {
    let address = server.address().to_owned();
    let request = request(&address, cookie);
    let crowd = move || Crowd::connect(&address, &request, &demand).ask(&demand);
    tokio::task::spawn_blocking(crowd).await.expect("it does not panic")
}

/// The request for the caller's connection.
fn request(address: &str, cookie: &str) -> String {
    format!(
        "GET /api/integrations/instagram/me HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\nCookie: {cookie}\r\n\r\n"
    )
}

/// Asks once, and waits for the answer's status; `None` when none comes.
pub(crate) fn ask_once(stream: &mut std::net::TcpStream, address: &str, cookie: &str) -> Option<u16> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(request(address, cookie).as_bytes()).ok()?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        answer.extend_from_slice(&buffer[..read]);
        if let Some(status) = status_of(&answer) {
            return Some(status);
        }
    }
}

/// All clients.
struct Crowd<'a> {
    address: &'a str,
    request: &'a str,
    poll: Poll,
    clients: Vec<Client>,
    free: VecDeque<usize>,
    outcome: Outcome,
}

struct Client {
    stream: TcpStream,
    /// Time at which its request was to be made, and time at which it was made; `None` while it is free.
    asked: Option<(Instant, Instant)>,
    /// Bytes of the answer so far.
    answer: Vec<u8>,
}

impl<'a> Crowd<'a> {
    fn connect(address: &'a str, request: &'a str, demand: &Demand) -> Self {
        let poll = Poll::new().expect("the system polls");
        let client =
            |index| Client { stream: connect(&poll, address, index), asked: None, answer: Vec::new() };
        let clients = (0..demand.connections).map(client).collect();
        let free = (0..demand.connections).collect();
        Self { address, request, poll, clients, free, outcome: Outcome::default() }
    }

    fn ask(mut self, demand: &Demand) -> Outcome {
        let mut events = Events::with_capacity(1024);
        let start = Instant::now();
        let end = start + demand.time;
        let (mut made, mut looked) = (0_u64, start);
        loop {
            let now = Instant::now();
            let due = |number: u64| match demand.per_second {
                Some(per_second) => start + Duration::from_secs_f64(number as f64 / per_second),
                None => now,
            };
            while due(made) <= now && now < end {
                match self.free.pop_front() {
                    Some(index) => self.begin(index, due(made)),
                    None if demand.per_second.is_none() => break,
                    None => self.outcome.lost += 1,
                }
                made += 1;
            }
            if now >= end && self.free.len() == self.clients.len() {
                return self.outcome;
            }
            let wait = due(made).saturating_duration_since(now).min(LOOK_EVERY);
            let wait = if self.free.is_empty() || now >= end { LOOK_EVERY } else { wait };
            self.poll.poll(&mut events, Some(wait)).expect("the system polls");
            for event in &events {
                self.read(event.token().0);
            }
            if looked.elapsed() > LOOK_EVERY {
                looked = Instant::now();
                self.give_up(if demand.per_second.is_some() { PATIENCE } else { LONG_PATIENCE });
            }
        }
    }

    fn begin(&mut self, index: usize, due: Instant) {
        let client = &mut self.clients[index];
        client.asked = Some((due, Instant::now()));
        if client.stream.write_all(self.request.as_bytes()).is_err() {
            self.lose(index);
        }
    }

    fn read(&mut self, index: usize) {
        let mut buffer = [0; 4096];
        loop {
            let client = &mut self.clients[index];
            match client.stream.read(&mut buffer) {
                Ok(0) => return self.lose(index),
                Ok(read) => client.answer.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => return self.lose(index),
            }
            let Some(status) = status_of(&client.answer) else { continue };
            client.answer.clear();
            let Some((due, _)) = client.asked.take() else { return };
            match status {
                200 => self.outcome.served.push(due.elapsed()),
                503 => self.outcome.refused.push(due.elapsed()),
                _ => panic!("it answered {status}"),
            }
            return self.free.push_back(index);
        }
    }

    fn give_up(&mut self, patience: Duration) {
        for index in 0..self.clients.len() {
            if self.clients[index].asked.is_some_and(|(_, made)| made.elapsed() > patience) {
                self.lose(index);
            }
        }
    }

    /// Counts a request without an answer. Its client comes back with a new connection.
    fn lose(&mut self, index: usize) {
        let client = &mut self.clients[index];
        client.stream = connect(&self.poll, self.address, index);
        client.answer.clear();
        if client.asked.take().is_some() {
            self.outcome.lost += 1;
            self.free.push_back(index);
        }
    }
}

/// Opens a connection whose events have this number.
fn connect(poll: &Poll, address: &str, number: usize) -> TcpStream {
    let address = address.parse().expect("an address");
    // As long as a system takes that asks three times.
    let stream = std::net::TcpStream::connect_timeout(&address, Duration::from_secs(10));
    let stream = stream.expect("the server accepts");
    stream.set_nodelay(true).expect("a TCP option");
    stream.set_nonblocking(true).expect("a socket option");
    let mut stream = TcpStream::from_std(stream);
    poll.registry().register(&mut stream, Token(number), Interest::READABLE).expect("the system polls");
    stream
}

/// Reads the status of an answer; `None` until its headers and as many bytes as they promise are there.
fn status_of(answer: &[u8]) -> Option<u16> {
    const LENGTH: &[u8] = b"content-length: ";
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let length = answer[..end].windows(LENGTH.len()).position(|name| name.eq_ignore_ascii_case(LENGTH))?;
    let digits = answer[length + LENGTH.len()..end].split(|byte| !byte.is_ascii_digit()).next()?;
    let length: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let status = std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()?;
    (answer.len() >= end + 4 + length).then_some(status)
}

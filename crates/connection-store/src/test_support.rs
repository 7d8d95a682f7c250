//! A MongoDB server for tests, and the times that they are written in. Behind the feature `test-support`.

pub mod wire;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

/// Time that a server may take to listen.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Starts the server, prints its process id, and kills it when standard input ends: so the server is gone when the test
/// is, however the test ended.
const WATCHDOG: &str = r#"
"$0" --host 127.0.0.1 --port "$1" --storage-path "$2" --log-level WARNING >>"$3" 2>&1 &
echo $!
read -r _
kill -9 $!
wait
"#;

/// The present, without what stores do not keep. The real one: MongoDB removes ended documents by its own clock.
///
/// # Panics
/// When the machine's clock is beyond the year 9999.
pub fn now() -> Timestamp {
    Timestamp::from_millisecond(Timestamp::now().as_millisecond())
        .expect("a time cut to milliseconds is a time")
}

/// So many seconds.
pub fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

/// A MongoDB server that runs while the value lives.
#[derive(Debug)]
pub struct MongoServer {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The one that `TEST_MONGODB_URL` names.
    External(String),
    Own(Box<OwnServer>),
}

#[derive(Debug)]
struct OwnServer {
    program: PathBuf,
    port: u16,
    folder: TempDir,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    watchdog: Child,
    server_pid: String,
}

impl MongoServer {
    /// The server that `TEST_MONGODB_URL` names; without it, a SecantusDB of our own, as [`start_own`](Self::start_own).
    ///
    /// # Panics
    /// When no server is to be had. A test without its database has to fail.
    pub fn start() -> Self {
        match std::env::var("TEST_MONGODB_URL") {
            Ok(url) if !url.is_empty() => Self { kind: Kind::External(url) },
            _ => Self::start_own(),
        }
    }

    /// A SecantusDB with its own port and data: for tests that stop the server. The program is the one that `SECANTUSD`
    /// names, else `secantusdb/bin/secantusd-py` in the project's cache folder.
    ///
    /// # Panics
    /// When the program is not there or does not start.
    pub fn start_own() -> Self {
        let mut own = OwnServer {
            program: secantusd(),
            port: free_port(),
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
            running: None,
        };
        own.start();
        Self { kind: Kind::Own(Box::new(own)) }
    }

    /// A server that all tests of a process share; it stops when the last of them lets go.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<MongoServer>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start());
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// The server's URL. Ours names no database; use [`fresh_database_url`](Self::fresh_database_url).
    pub fn url(&self) -> String {
        match &self.kind {
            Kind::External(url) => url.clone(),
            Kind::Own(own) => format!("mongodb://127.0.0.1:{}/?directConnection=true", own.port),
        }
    }

    /// A `DATABASE_URL` with a database that nobody has used before.
    pub fn fresh_database_url(&self) -> String {
        let url = self.url();
        let (server, query) = url.split_once('?').unwrap_or((&url, ""));
        let (scheme, server) = server.split_once("://").expect("a MongoDB URL has a scheme");
        let host = server.split_once('/').map_or(server, |(host, _)| host);
        let database = format!("instagram_connect_test_{}", uuid::Uuid::new_v4().simple());
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        format!("{scheme}://{host}/{database}{query}")
    }

    /// Kills the server, as a power failure would. Its data stays.
    ///
    /// # Panics
    /// When the server is not ours.
    pub fn stop(&mut self) {
        self.own().stop();
    }

    /// Starts the server again on the same port with the same data.
    ///
    /// # Panics
    /// When the server is not ours, or does not start.
    pub fn restart(&mut self) {
        let own = self.own();
        own.stop();
        own.start();
    }

    /// Freezes the server: connections stay open and nothing answers, as behind a broken network.
    ///
    /// # Panics
    /// When the server is not ours.
    pub fn pause(&mut self) {
        self.own().signal("-STOP");
        self.own().wait_until_stopped();
    }

    /// Lets a frozen server go on.
    ///
    /// # Panics
    /// When the server is not ours.
    pub fn resume(&mut self) {
        self.own().signal("-CONT");
    }

    fn own(&mut self) -> &mut OwnServer {
        match &mut self.kind {
            Kind::Own(own) => own,
            Kind::External(_) => panic!("the server of TEST_MONGODB_URL is not ours to stop: use start_own"),
        }
    }
}

impl OwnServer {
    fn start(&mut self) {
        let log = self.folder.path().join("server.log");
        let mut watchdog = Command::new("sh")
            .arg("-c")
            .arg(WATCHDOG)
            .arg(&self.program)
            .arg(self.port.to_string())
            .arg(self.folder.path().join("data"))
            .arg(&log)
            // Its own folder, so that no configuration file of somebody else is found.
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell can be started");
        let mut server_pid = String::new();
        let stdout = watchdog.stdout.take().expect("standard output is a pipe");
        BufReader::new(stdout).read_line(&mut server_pid).expect("the shell prints the process id");
        self.running = Some(Running { watchdog, server_pid: server_pid.trim().to_owned() });

        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let deadline = Instant::now() + START_TIMEOUT;
        while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
            if Instant::now() > deadline {
                let mut words = String::new();
                let _ = File::open(&log).and_then(|mut log| log.read_to_string(&mut words));
                panic!("{} does not listen on port {}:\n{words}", self.program.display(), self.port);
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            drop(running.watchdog.stdin.take());
            let _ = running.watchdog.wait();
        }
    }

    /// On a busy machine some of its threads may still answer for a moment after the signal was sent.
    fn wait_until_stopped(&self) {
        if !cfg!(target_os = "linux") {
            return;
        }
        let running = self.running.as_ref().expect("the server runs");
        for _ in 0..200 {
            let states = Command::new("ps").args(["-L", "-o", "stat=", "-p", &running.server_pid]).output();
            let states = states.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
            if states.is_ok_and(|states| states.lines().all(|state| state.trim().starts_with('T'))) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("the server does not stop");
    }

    fn signal(&self, signal: &str) {
        let running = self.running.as_ref().expect("the server runs");
        let sent = Command::new("kill").args([signal, &running.server_pid]).status();
        assert!(sent.is_ok_and(|status| status.success()), "the server cannot be signalled");
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn secantusd() -> PathBuf {
    let program = std::env::var_os("SECANTUSD").map(PathBuf::from).or_else(|| {
        let cache = std::env::var_os("XDG_CACHE_HOME")
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
        Some(cache.join("instagram-connect/secantusdb/bin/secantusd-py"))
    });
    match program {
        Some(program) if program.is_file() => program,
        looked_at => panic!(
            "these tests need MongoDB: set TEST_MONGODB_URL to a server's URL, or SECANTUSD to the program secantusd-py \
             of the PyPI package SecantusDB; it is not at {}",
            looked_at.unwrap_or_default().display()
        ),
    }
}

/// A port that nothing uses right now, for a server that is about to start there. Below those from which systems choose one
/// for a connection that goes out: such a one could take it in between.
#[must_use]
pub fn free_port() -> u16 {
    loop {
        let port = fastrand::u16(20_000..30_000);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

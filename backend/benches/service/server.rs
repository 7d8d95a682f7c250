//! Servers as processes of their own, and what the kernel says about them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use connection_store::test_support::free_port;
use instagram_simulator::Simulator;
use serde_json::json;
use tempfile::TempDir;

/// Set in the environment of this very binary when it is to serve the bare route, to the port.
pub(crate) const BARE_ROUTE: &str = "BENCH_BARE_ROUTE_PORT";

pub(crate) const REDIRECT_URI: &str = "http://localhost:4002/auth/instagram/callback";
pub(crate) const APP_SECRET: &str = "bench-secret";
pub(crate) const KEYS: &str = "bench:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The program that is measured.
const SERVICE: &str = env!("CARGO_BIN_EXE_instagram-connect");

/// Set once this process has left a core to the service.
static OWN_CORE_IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// A server process. Dropping it ends it.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    /// A route that answers as much JSON as the connection has, and does nothing else.
    pub(crate) fn start_bare_route() -> Self {
        let port = free_port();
        let mut command = Command::new(std::env::current_exe().expect("this binary has a path"));
        command.env(BARE_ROUTE, port.to_string());
        Self::start(command, port)
    }

    /// The service as it is shipped, with its log going nowhere.
    pub(crate) fn start_service(
        folder: &TempDir,
        database_url: &str,
        simulator: &Simulator,
        changes: &[(&str, &str)],
    ) -> Self {
        Self::start_as(Command::new(SERVICE), folder, database_url, simulator, changes)
    }

    /// The same on a processor core that nothing else of this benchmark uses, so that load meets what the service can do, not
    /// what is left of a machine that makes the load, too. This process keeps to the other cores from now on.
    pub(crate) fn start_service_on_its_own_core(
        folder: &TempDir,
        database_url: &str,
        simulator: &Simulator,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        assert!(cores > 1 || OWN_CORE_IS_TAKEN.load(Ordering::Relaxed), "this needs two processor cores");
        if !OWN_CORE_IS_TAKEN.swap(true, Ordering::Relaxed) {
            let others = format!("1-{}", cores - 1);
            let process = std::process::id().to_string();
            let moved = Command::new("taskset").args(["-a", "-c", "-p", &others, &process]).output();
            assert!(moved.expect("util-linux is installed").status.success(), "taskset fails");
        }
        let mut command = Command::new("taskset");
        command.args(["-c", "0", SERVICE]);
        Self::start_as(command, folder, database_url, simulator, &[])
    }

    fn start_as(
        mut command: Command,
        folder: &TempDir,
        database_url: &str,
        simulator: &Simulator,
        changes: &[(&str, &str)],
    ) -> Self {
        let port = free_port();
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(folder.path())
            .env("BIND_ADDRESS", format!("127.0.0.1:{port}"))
            .env("DATABASE_URL", database_url)
            .env("TOKEN_ENCRYPTION_KEYS", KEYS)
            // All load comes from one address.
            .env("RATE_LIMITS", "off")
            .env("INSTAGRAM_APP_ID", instagram_simulator::Config::APP_ID)
            .env("INSTAGRAM_APP_SECRET", APP_SECRET)
            .env("INSTAGRAM_REDIRECT_URI", REDIRECT_URI)
            .env("INSTAGRAM_AUTHORIZE_URL", simulator.authorize_url())
            .env("INSTAGRAM_TOKEN_URL", simulator.token_url())
            .env("INSTAGRAM_GRAPH_URL", simulator.graph_url())
            .envs(changes.iter().copied());
        Self::start(command, port)
    }

    fn start(mut command: Command, port: u16) -> Self {
        let child = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().expect("the server starts");
        let mut server = Self { child, url: format!("http://127.0.0.1:{port}") };
        let output = server.child.stdout.take().expect("its output is piped");
        // Read to the end for as long as it runs: a full pipe would stop it.
        std::thread::spawn(move || BufReader::new(output).lines().map_while(Result::ok).for_each(drop));
        for _ in 0..200 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the server does not listen on port {port}");
    }

    /// Returns the address that it listens on.
    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Processor time used so far, user and system, in seconds (`proc(5)`, fields 14 and 15 of `stat`).
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("the process runs");
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        let ticks =
            |index: usize| after_name.split(' ').nth(index).and_then(|field| field.parse::<f64>().ok());
        // The kernel's clock ticks that user space sees are hundredths of a second on every Linux.
        (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0
    }

    /// Memory in use now.
    pub(crate) fn resident_megabytes(&self) -> f64 {
        self.status("VmRSS:")
    }

    /// The most memory that was ever in use.
    pub(crate) fn peak_megabytes(&self) -> f64 {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> f64 {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("the process runs");
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<f64>().ok()).unwrap_or(0.0)
            / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves the bare route until it is killed.
pub(crate) fn serve_bare_route() {
    let port: u16 = std::env::var(BARE_ROUTE).ok().and_then(|port| port.parse().ok()).expect("a port");
    let connection = json!({"ok": true, "connection": {
        "id": "507f1f77bcf86cd799439011", "username": "wreckshoprecords", "name": "Wreck Shop Records",
        "profilePictureUrl": "https://scontent.cdninstagram.com/v/t51.2885-19/picture.jpg", "biography": "Vinyl Records",
        "website": "wreckshop.com", "followers": 15420, "following": 823, "mediaCount": 456,
        "connectedAt": "2025-11-10T15:30:00.000Z", "lastSync": "2025-11-10T16:45:00.000Z",
        "expiresAt": "2026-01-09T15:30:00.000Z", "needsRefresh": false, "status": "active",
        "scopes": ["instagram_business_basic", "instagram_business_content_publish"],
        "missingScopes": ["instagram_business_manage_messages"], "lastError": null,
    }});
    let connection = web::Data::new(connection);
    actix_web::rt::System::new()
        .block_on(async move {
            HttpServer::new(move || {
                let route = |data: web::Data<serde_json::Value>| async move {
                    HttpResponse::Ok().json(data.get_ref())
                };
                App::new()
                    .app_data(web::Data::clone(&connection))
                    .route("/api/integrations/instagram/me", web::get().to(route))
            })
            .bind(("127.0.0.1", port))?
            .run()
            .await
        })
        .expect("the bare route serves");
}

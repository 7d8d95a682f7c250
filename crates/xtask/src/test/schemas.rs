//! The step `schemas`: what the API says of itself, compared with what it does.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::{env, fs, process};

use crate::failure::{Failure, Result};
use crate::processes::{self, Group};
use crate::test::counts::Counts;
use crate::{ports, tools, workspace};

/// The simulator's app. It plays no real app, so its secret is none.
const APP_ID: &str = "1377811407203207";
const APP_SECRET: &str = "simulated-app-secret";

/// Starts the service and its Instagram on free ports with an empty database, and has every route of the document called
/// with and without credentials. `schemas.py` says how.
///
/// # Errors
/// When a tool is missing, a server does not start, or an answer is not as described.
pub(super) fn run(counts: &mut Counts) -> Result {
    let schemathesis = tools::schemathesis()?;
    // As the browser tests build it, so that nothing is compiled for one of the two alone.
    processes::run(processes::cargo().args(["build", "--workspace", "--bins", "--examples"]))?;
    let folder = Folder::make()?;
    let (backend_port, simulator_port) = (free_port()?, free_port()?);
    let origin = format!("http://localhost:{backend_port}");
    let redirect_uri = format!("{origin}/auth/instagram/callback");
    let instagram = format!("http://localhost:{simulator_port}");

    let mut command = processes::command(binary("instagram-simulator"));
    command.args(["--bind", &format!("127.0.0.1:{simulator_port}"), "--redirect-uri", &redirect_uri]);
    let mut simulator = Group::start(command.args(["--app-id", APP_ID, "--app-secret", APP_SECRET]))?;
    ports::wait_until_answers("simulator", &mut simulator, simulator_port, "/__simulator/health")?;
    // Started last and so stopped first: it may be asking the simulator something.
    let mut command = processes::command(binary("instagram-connect"));
    command.current_dir(&folder.0).envs([
        ("BIND_ADDRESS", format!("127.0.0.1:{backend_port}").as_str()),
        ("PUBLIC_URL", &origin),
        ("FRONTEND_URL", &origin),
        ("DATABASE_URL", &format!("sqlite:{}", folder.0.join("schemas.db").display())),
        ("INSTAGRAM_APP_ID", APP_ID),
        ("INSTAGRAM_APP_SECRET", APP_SECRET),
        ("INSTAGRAM_REDIRECT_URI", &redirect_uri),
        ("INSTAGRAM_AUTHORIZE_URL", &format!("{instagram}/oauth/authorize")),
        ("INSTAGRAM_TOKEN_URL", &format!("{instagram}/oauth/access_token")),
        ("INSTAGRAM_GRAPH_URL", &instagram),
        // Thousands of requests of one address are the point here.
        ("RATE_LIMITS", "off"),
        // Refused requests would be logged by the thousand; a fault of the service is what should be seen.
        ("RUST_LOG", "error"),
    ]);
    let mut backend = Group::start(&mut command)?;
    ports::wait_until_answers("backend", &mut backend, backend_port, "/readyz")?;

    let script = workspace::root().join("crates/xtask/src/test/schemas.py");
    processes::run_reading(
        processes::command(schemathesis.with_file_name("python"))
            // A folder for what schemathesis keeps between runs: nothing of it is wanted.
            .current_dir(&folder.0)
            .arg(script)
            .env("BACKEND", &origin)
            .env("SIMULATOR", &instagram)
            .env("SERVICE", binary("instagram-connect"))
            .env("DATABASE_URL", format!("sqlite:{}", folder.0.join("schemas.db").display())),
        |line| counts.add_from_schemas(line),
    )
}

/// A folder that is removed with everything in it.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self> {
        let folder = env::temp_dir().join(format!("instagram-connect-schemas-{}", process::id()));
        fs::create_dir(&folder)
            .map_err(Failure::while_doing(format!("{} cannot be made", folder.display())))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in the system's folder for such things does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A port that nothing listens on now.
fn free_port() -> Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Failure::while_doing("no free port was found"))
}

/// A program that `cargo build` made.
fn binary(name: &str) -> PathBuf {
    workspace::target().join("debug").join(name)
}

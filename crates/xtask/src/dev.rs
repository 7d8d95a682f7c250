//! `cargo xtask dev`: everything on one machine, one URL.

use std::env;
use std::path::PathBuf;

use crate::failure::{Failure, Result};
use crate::processes::{self, Group};
use crate::stopwatch::Stopwatch;
use crate::tools::WasmTools;
use crate::{frontend, ports, workspace};

const BACKEND_PORT: u16 = 4002;
const SIMULATOR_PORT: u16 = 4003;
const FRONTEND_PORT: u16 = 5176;

/// The simulator's app. It plays no real app, so its secret is none.
const SIMULATED_APP_ID: &str = "1377811407203207";
const SIMULATED_APP_SECRET: &str = "simulated-app-secret";

/// Which Instagram the backend talks to.
enum Upstream {
    /// The simulator, on this machine.
    Simulator,
    /// The real one: the person has set up an app and named it in this place.
    Instagram { set_in: &'static str },
}

/// Builds, starts everything, prints the URL, and waits for Ctrl-C.
///
/// # Errors
/// When a port is taken, a tool is missing, a build fails, or a program stops by itself.
pub(crate) fn run() -> Result {
    let stopwatch = Stopwatch::start();
    let upstream = upstream()?;
    let simulated = matches!(upstream, Upstream::Simulator);
    for port in [BACKEND_PORT, FRONTEND_PORT].into_iter().chain(simulated.then_some(SIMULATOR_PORT)) {
        ports::require_free(port)?;
    }
    let tools = WasmTools::ensure()?;
    frontend::fetch_dependencies()?;
    build()?;

    // Dropped, and so stopped, in the order in which they stand here: first who asks, then who answers.
    let mut servers: Vec<(&'static str, Group)> = Vec::new();
    let redirect_uri = format!("http://localhost:{BACKEND_PORT}/auth/instagram/callback");
    let mut backend = processes::command(binary("instagram-connect"));
    backend.envs([
        ("BIND_ADDRESS", format!("127.0.0.1:{BACKEND_PORT}")),
        ("PUBLIC_URL", format!("http://localhost:{BACKEND_PORT}")),
        ("FRONTEND_URL", format!("http://localhost:{FRONTEND_PORT}")),
    ]);
    match upstream {
        Upstream::Simulator => {
            let simulator = format!("http://localhost:{SIMULATOR_PORT}");
            backend.envs([
                ("INSTAGRAM_APP_ID", SIMULATED_APP_ID.to_owned()),
                ("INSTAGRAM_APP_SECRET", SIMULATED_APP_SECRET.to_owned()),
                ("INSTAGRAM_REDIRECT_URI", redirect_uri.clone()),
                ("INSTAGRAM_AUTHORIZE_URL", format!("{simulator}/oauth/authorize")),
                ("INSTAGRAM_TOKEN_URL", format!("{simulator}/oauth/access_token")),
                ("INSTAGRAM_GRAPH_URL", simulator),
            ]);
            servers.push(("simulator", start_simulator(&redirect_uri)?));
        }
        Upstream::Instagram { set_in } => {
            println!("INSTAGRAM_APP_ID is set in {set_in}: using the real Instagram, without the simulator.");
        }
    }

    let mut group = Group::start_with_log("backend", &mut backend)?;
    ports::wait_until_answers("backend", &mut group, BACKEND_PORT, "/readyz")?;
    servers.insert(0, ("backend", group));

    println!("Building the frontend. The first time takes a few minutes.");
    let mut trunk = tools.trunk("serve");
    // A folder of its own: `dist/` holds the release build, which the tests use.
    trunk.arg("--dist").arg(workspace::target().join("dev-dist"));
    // Trunk would print one URL for each name of this machine.
    trunk.env("TRUNK_SERVE_DISABLE_ADDRESS_LOOKUP", "true");
    let mut group = Group::start_with_log("frontend", &mut trunk)?;
    ports::wait_until_answers("frontend", &mut group, FRONTEND_PORT, "/")?;
    servers.insert(0, ("frontend", group));

    println!("\nReady in {stopwatch}. Ctrl-C stops everything.\n\n    http://localhost:{FRONTEND_PORT}\n");
    let ended = watch(&mut servers);
    println!("Stopping.");
    ended
}

/// Where the person has named an Instagram app of their own: in the environment, or in `.env`, which the backend reads.
fn upstream() -> Result<Upstream> {
    const VARIABLE: &str = "INSTAGRAM_APP_ID";
    if env::var_os(VARIABLE).is_some_and(|value| !value.is_empty()) {
        return Ok(Upstream::Instagram { set_in: "the environment" });
    }
    let file = workspace::root().join(".env");
    if !file.exists() {
        return Ok(Upstream::Simulator);
    }
    // The cause is left out: it quotes the line that is wrong, and a line of `.env` may hold a secret.
    let unreadable = |_| Failure::from(".env cannot be read as NAME=value lines.");
    for entry in dotenvy::from_path_iter(&file).map_err(unreadable)? {
        let (name, value) = entry.map_err(unreadable)?;
        if name == VARIABLE && !value.is_empty() {
            return Ok(Upstream::Instagram { set_in: ".env" });
        }
    }
    Ok(Upstream::Simulator)
}

/// Builds the two programs that run beside the frontend.
fn build() -> Result {
    println!("Building the backend and the simulator. The first time takes a few minutes.");
    let stopwatch = Stopwatch::start();
    processes::run(processes::cargo().args([
        "build",
        "--package",
        "backend",
        "--package",
        "instagram-simulator",
    ]))?;
    println!("Built in {stopwatch}.");
    Ok(())
}

fn start_simulator(redirect_uri: &str) -> Result<Group> {
    let bind = format!("127.0.0.1:{SIMULATOR_PORT}");
    let app =
        ["--app-id", SIMULATED_APP_ID, "--app-secret", SIMULATED_APP_SECRET, "--redirect-uri", redirect_uri];
    let mut command = processes::command(binary("instagram-simulator"));
    let mut group = Group::start_with_log("simulator", command.args(["--bind", &bind]).args(app))?;
    ports::wait_until_answers("simulator", &mut group, SIMULATOR_PORT, "/__simulator/health")?;
    Ok(group)
}

/// Waits until a server stops by itself, which is a failure, or this process is asked to end, which is not.
fn watch(servers: &mut [(&'static str, Group)]) -> Result {
    loop {
        for (name, group) in &mut *servers {
            if let Some(status) = group.ended()? {
                return Err(format!("The {name} stopped ({status}). Its last lines say why.").into());
            }
        }
        match processes::pause() {
            Err(Failure::Interrupted) => return Ok(()),
            other => other?,
        }
    }
}

/// A program that `cargo build` made.
fn binary(name: &str) -> PathBuf {
    workspace::target().join("debug").join(name)
}

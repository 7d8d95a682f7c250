//! `cargo xtask dev`: everything on one machine, one URL.

use std::env;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::processes::{self, Group};
use crate::progress::{Progress, Usual};
use crate::stopwatch::Stopwatch;
use crate::tools::WasmTools;
use crate::{frontend, ports, workspace};

const BACKEND_PORT: u16 = 4002;
const SIMULATOR_PORT: u16 = 4003;
const FRONTEND_PORT: u16 = 5176;

/// The simulator's app. It plays no real app, so its secret is none.
const SIMULATED_APP_ID: &str = "1377811407203207";
const SIMULATED_APP_SECRET: &str = "simulated-app-secret";

/// The variable by which a person names an app of their own.
const APP_ID: &str = "INSTAGRAM_APP_ID";

/// The Instagram that the backend talks to.
#[derive(Debug, PartialEq, Eq)]
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
    let mut progress = Progress::new(
        "dev",
        vec![
            ("the tools of the frontend's build", Usual::Install(WasmTools::time_to_install()?.as_secs())),
            ("what Cargo.lock names", Usual::Build { first: 20, again: 1 }),
            ("building the backend and the simulator", Usual::Build { first: 240, again: 20 }),
            ("building the frontend", Usual::Build { first: 180, again: 20 }),
        ],
    );
    let tools = progress.run(WasmTools::ensure)?;
    progress.run(frontend::fetch_dependencies)?;
    progress.run(build)?;

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

    let mut trunk = tools.trunk("serve");
    // A folder of its own: `dist/` holds the release build, which the tests use.
    trunk.arg("--dist").arg(workspace::target().join("dev-dist"));
    // Trunk would print one URL for each name of this machine.
    trunk.env("TRUNK_SERVE_DISABLE_ADDRESS_LOOKUP", "true");
    let group = progress.run(|| {
        let mut group = Group::start_with_log("frontend", &mut trunk)?;
        ports::wait_until_answers("frontend", &mut group, FRONTEND_PORT, "/")?;
        Ok(group)
    })?;
    servers.insert(0, ("frontend", group));

    println!("\nReady in {stopwatch}. Ctrl-C stops everything.\n\n    http://localhost:{FRONTEND_PORT}\n");
    let ended = watch(&mut servers);
    println!("Stopping.");
    ended
}

/// Finds the place where the person has named an Instagram app of their own: the environment, or `.env`,
/// which the backend reads.
fn upstream() -> Result<Upstream> {
    let of_process = env::var_os(APP_ID).map(|value| value.to_string_lossy().into_owned());
    upstream_of(of_process, &workspace::root().join(".env"))
}

/// Looks where the backend does, in its order, and refuses what the backend would refuse after minutes of
/// building.
fn upstream_of(of_process: Option<String>, file: &Path) -> Result<Upstream> {
    let of_file = env_file::read(file).map_err(Failure::while_doing(".env"))?;
    let of_file = of_file.into_iter().rev().find(|(name, _)| name == APP_ID).map(|(_, id)| id);
    let (set_in, id) = match of_process {
        Some(id) => ("the environment", id),
        None => (".env", of_file.unwrap_or_default()),
    };
    if let Some(mark) = env_file::quotation_mark(id.trim()) {
        return Err(
            format!("{APP_ID} in {set_in} has a {mark} around it. Remove the quotation marks.").into()
        );
    }
    Ok(if id.trim().is_empty() { Upstream::Simulator } else { Upstream::Instagram { set_in } })
}

/// Builds the two programs that run beside the frontend.
fn build() -> Result {
    processes::run(processes::cargo().args([
        "build",
        "--package",
        "backend",
        "--package",
        "instagram-simulator",
    ]))
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn upstream(of_process: Option<&str>, file: &str) -> Result<Upstream> {
        let path = env::temp_dir().join(format!("xtask-dev-{}-{}", std::process::id(), fastrand::u64(..)));
        fs::write(&path, file).unwrap();
        let found = upstream_of(of_process.map(str::to_owned), &path);
        fs::remove_file(path).unwrap();
        found
    }

    #[test]
    fn an_app_is_found_where_the_backend_finds_it() {
        assert_eq!(upstream(None, "").unwrap(), Upstream::Simulator);
        assert_eq!(upstream(None, "INSTAGRAM_APP_ID=\"\"\n").unwrap(), Upstream::Simulator);
        let of_file = upstream(None, "SECRET=pa$word\\\nINSTAGRAM_APP_ID=\"1377\"\n").unwrap();
        assert_eq!(of_file, Upstream::Instagram { set_in: ".env" });
        assert_eq!(upstream(Some("1377"), "").unwrap(), Upstream::Instagram { set_in: "the environment" });
        // An empty variable of the process wins over the file, as it does for the backend.
        assert_eq!(upstream(Some(""), "INSTAGRAM_APP_ID=1377\n").unwrap(), Upstream::Simulator);
    }

    #[test]
    fn a_file_or_an_app_id_that_the_backend_refuses_is_refused_before_anything_is_built() {
        let refused = |of_process, file| upstream(of_process, file).unwrap_err().to_string();
        let broken = refused(None, "A=1\nSECRET=hunter2 # comment\n");
        assert_eq!(broken, ".env: line 2 is not understood");
        assert!(refused(Some("\"1377\""), "").contains("quotation marks"));
        assert!(refused(None, "INSTAGRAM_APP_ID='\"1377\"'\n").starts_with("INSTAGRAM_APP_ID in .env"));
    }
}

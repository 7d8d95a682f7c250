//! `cargo xtask dev`: everything on one machine, one URL.

use std::env;
use std::path::Path;

use crate::failure::{Failure, Result};
use crate::processes::{self, Group};
use crate::progress::{Progress, Usual};
use crate::simulators::{self, SIMULATORS, Simulator};
use crate::stopwatch::Stopwatch;
use crate::tools::WasmTools;
use crate::{frontend, ports, workspace};

const BACKEND_PORT: u16 = 4002;
const FRONTEND_PORT: u16 = 5176;

/// Builds, starts everything, prints the URL, and waits for Ctrl-C.
///
/// # Errors
/// When a port is taken, a tool is missing, a build fails, or a program stops by itself.
pub(crate) fn run() -> Result {
    let stopwatch = Stopwatch::start();
    let simulated = simulated()?;
    let of_simulators = simulated.iter().map(|simulator| simulator.port);
    for port in [BACKEND_PORT, FRONTEND_PORT].into_iter().chain(of_simulators) {
        ports::require_free(port)?;
    }
    let mut progress = Progress::new(
        "dev",
        vec![
            ("the tools of the frontend's build", Usual::Install(WasmTools::time_to_install()?.as_secs())),
            ("what Cargo.lock names", Usual::Build { first: 20, again: 1 }),
            ("building the backend and the simulators", Usual::Build { first: 240, again: 20 }),
            ("building the frontend", Usual::Build { first: 180, again: 20 }),
        ],
    );
    let tools = progress.run(WasmTools::ensure)?;
    progress.run(frontend::fetch_dependencies)?;
    progress.run(|| processes::run(processes::cargo().arg("build").args(simulators::packages())))?;

    // Dropped, and so stopped, in the order in which they stand here: first who asks, then who answers.
    let mut servers: Vec<(&'static str, Group)> = Vec::new();
    let mut backend = processes::command(workspace::binary("instagram-connect"));
    backend.envs([
        ("BIND_ADDRESS", format!("127.0.0.1:{BACKEND_PORT}")),
        ("PUBLIC_URL", format!("http://localhost:{BACKEND_PORT}")),
        ("FRONTEND_URL", format!("http://localhost:{FRONTEND_PORT}")),
    ]);
    for simulator in simulated {
        let (group, variables) = simulator.start(simulator.port, BACKEND_PORT)?;
        backend.envs(variables);
        servers.push((simulator.program, group));
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

/// Returns the simulators of the providers with which the person has set up no app of their own, and says which are the real ones.
fn simulated() -> Result<Vec<&'static Simulator>> {
    let mut simulated = Vec::new();
    for simulator in &SIMULATORS {
        let (title, variable) = (simulator.title, simulator.id_variable());
        let of_process = env::var_os(variable).map(|value| value.to_string_lossy().into_owned());
        match own_app(variable, of_process, &workspace::root().join(".env"))? {
            Some(place) => {
                println!("{variable} is set in {place}: using the real {title}, without its simulator.");
            }
            None => simulated.push(simulator),
        }
    }
    Ok(simulated)
}

/// Finds the place where the person has named an app of their own, by the variable of its id: the environment, or `.env`. Looks
/// where the backend does, in its order, and refuses what the backend would refuse after minutes of building.
fn own_app(variable: &str, of_process: Option<String>, file: &Path) -> Result<Option<&'static str>> {
    let of_file = env_file::read(file).map_err(Failure::while_doing(".env"))?;
    let of_file = of_file.into_iter().rev().find(|(name, _)| name == variable).map(|(_, id)| id);
    let (place, id) = match of_process {
        Some(id) => ("the environment", id),
        None => (".env", of_file.unwrap_or_default()),
    };
    if let Some(mark) = env_file::quotation_mark(id.trim()) {
        return Err(
            format!("{variable} in {place} has a {mark} around it. Remove the quotation marks.").into()
        );
    }
    Ok((!id.trim().is_empty()).then_some(place))
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const ID: &str = "SPOTIFY_CLIENT_ID";

    fn found(of_process: Option<&str>, file: &str) -> Result<Option<&'static str>> {
        let path = env::temp_dir().join(format!("xtask-dev-{}-{}", std::process::id(), fastrand::u64(..)));
        fs::write(&path, file).unwrap();
        let found = own_app(ID, of_process.map(str::to_owned), &path);
        fs::remove_file(path).unwrap();
        found
    }

    #[test]
    fn an_app_is_found_where_the_backend_finds_it() {
        assert_eq!(found(None, "").unwrap(), None);
        assert_eq!(found(None, "SPOTIFY_CLIENT_ID=\"\"\nINSTAGRAM_APP_ID=1377\n").unwrap(), None);
        let of_file = found(None, "SECRET=pa$word\\\nSPOTIFY_CLIENT_ID=\"5b1f\"\n").unwrap();
        assert_eq!(of_file, Some(".env"));
        assert_eq!(found(Some("5b1f"), "").unwrap(), Some("the environment"));
        // An empty variable of the process wins over the file, as it does for the backend.
        assert_eq!(found(Some(""), "SPOTIFY_CLIENT_ID=5b1f\n").unwrap(), None);
    }

    #[test]
    fn a_file_or_an_app_id_that_the_backend_refuses_is_refused_before_anything_is_built() {
        let refused = |of_process, file| found(of_process, file).unwrap_err().to_string();
        let broken = refused(None, "A=1\nSECRET=hunter2 # comment\n");
        assert_eq!(broken, ".env: line 2 is not understood");
        assert!(refused(Some("\"5b1f\""), "").contains("quotation marks"));
        assert!(refused(None, "SPOTIFY_CLIENT_ID='\"5b1f\"'\n").starts_with("SPOTIFY_CLIENT_ID in .env"));
    }
}

//! `cargo xtask bench`: what the service costs, as ratios, and what the web app weighs.

use crate::failure::Result;
use crate::{frontend, processes, simulators, tools, workspace};

/// Measures the service against a bare route, then the app in a browser. Nothing else should run meanwhile.
///
/// # Errors
/// When something cannot be built or does not run.
pub(crate) fn run() -> Result {
    let (variable, server) = tools::mongodb_server()?;
    let chromium = tools::chromium()?;
    tools::install_node_packages()?;
    frontend::build()?;
    let build = ["build", "--release", "--bins", "--examples"];
    processes::run(processes::cargo().args(build).args(simulators::packages()))?;
    processes::run(processes::cargo().args(["bench", "--package", "backend"]).env(variable, server))?;
    processes::run(processes::cargo().args(["bench", "--package", "instagram-client"]))?;
    processes::run(
        processes::command("node")
            .arg("bench/time-to-card.mjs")
            .current_dir(workspace::root().join("e2e"))
            .env("CHROMIUM", chromium)
            .env("BINARIES", workspace::target().join("release")),
    )
}

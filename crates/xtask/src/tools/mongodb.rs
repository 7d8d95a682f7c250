//! A MongoDB-compatible server for the store's contract tests.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::processes;
use crate::stopwatch::Stopwatch;
use crate::tools::{cache, debian, on_path, report};

/// The Python package `SecantusDB` speaks MongoDB's wire protocol over `WiredTiger`. For tests and development only.
const VERSION: &str = "0.7.0b3";

/// The variable that tells the tests which server to use, and its value.
///
/// `TEST_MONGODB_URL` where the environment names a server; else `SECANTUSD`, the program with which the tests start
/// servers of their own.
///
/// # Errors
/// When there is no server and none can be installed.
pub(crate) fn server() -> Result<(&'static str, String)> {
    if let Ok(url) = env::var("TEST_MONGODB_URL") {
        // Without its value: it may hold a password.
        report("MongoDB", "using the server that TEST_MONGODB_URL names");
        return Ok(("TEST_MONGODB_URL", url));
    }
    let label = format!("SecantusDB {VERSION}");
    let environment = cache::folder()?.join("secantusdb");
    let program = environment.join("bin/secantusd-py");
    if fits(&environment) {
        report(&label, format_args!("found ({})", program.display()));
    } else {
        install(&label, &environment)?;
    }
    Ok(("SECANTUSD", program.display().to_string()))
}

/// Whether the virtual environment works and holds the wanted version. pip puts a package in place after everything
/// that it needs, so an installation that was interrupted does not pass.
fn fits(environment: &Path) -> bool {
    const ASK: &str = "import secantus, importlib.metadata as m; print(m.version('SecantusDB'))";
    processes::answer(processes::command(environment.join("bin/python")).args(["-c", ASK])).as_deref()
        == Some(VERSION)
}

/// A virtual environment names its own folder in its scripts and cannot be moved: unlike other tools it is made in
/// place, and [`fits`] tells a complete one.
fn install(label: &str, environment: &Path) -> Result {
    report(label, format_args!("installing into {} (about half a minute)", environment.display()));
    let stopwatch = Stopwatch::start();
    let made = make_environment(environment);
    if made.is_err() {
        // Debian splits what `venv` needs off from Python.
        debian::install("Python 3 with venv", &["python3", "python3-venv"])?;
        make_environment(environment)?;
    }
    let package = format!("SecantusDB=={VERSION}");
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", &package];
    processes::run(processes::command(environment.join("bin/python")).args(pip))?;
    if !fits(environment) {
        return Err(format!("{label} was installed, but does not run.").into());
    }
    report(label, format_args!("installed in {stopwatch}"));
    Ok(())
}

fn make_environment(environment: &Path) -> Result {
    let python: PathBuf = on_path("python3").ok_or("Python 3 is missing.")?;
    if environment.exists() {
        fs::remove_dir_all(environment)
            .map_err(Failure::while_doing(format!("{} cannot be removed", environment.display())))?;
    }
    processes::run(processes::command(python).args(["-m", "venv"]).arg(environment))
}

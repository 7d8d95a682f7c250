//! Node.js, and the packages of the browser tests.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::stopwatch::Stopwatch;
use crate::tools::report;
use crate::{processes, workspace};

/// The oldest Node.js that the browser tests' packages run on.
const OLDEST_MAJOR: u32 = 20;

/// `npm`, once it is sure that a Node.js of a fitting version is there.
///
/// # Errors
/// When Node.js or npm is missing or too old.
pub(crate) fn npm() -> Result<Command> {
    let version = processes::answer(processes::command("node").arg("--version"));
    let major: Option<u32> =
        version.as_deref().and_then(|version| version.strip_prefix('v')?.split('.').next()?.parse().ok());
    match (version.as_deref(), major) {
        (_, Some(major)) if major >= OLDEST_MAJOR => {}
        (Some(version), _) => {
            return Err(format!("Node.js {version} is too old. Install {OLDEST_MAJOR} or newer.").into());
        }
        (None, _) => {
            return Err(format!("Node.js is missing. Install {OLDEST_MAJOR} or newer, with npm.").into());
        }
    }
    if super::on_path("npm").is_none() {
        return Err("npm is missing. Install it beside Node.js.".into());
    }
    Ok(processes::command("npm"))
}

/// Installs the packages of `e2e/` exactly as its lock file names them, unless they are there already.
///
/// # Errors
/// When they cannot be installed.
pub(crate) fn install_packages() -> Result {
    let folder = workspace::root().join("e2e");
    let mut npm = npm()?;
    let wanted = dependencies(&folder)?;
    if wanted.iter().all(|(name, version)| is_installed(&folder, name, version)) {
        for (name, version) in wanted {
            report(&format!("{name} {version}"), "found");
        }
        return Ok(());
    }
    report("browser tests", "installing the packages of e2e/ (a few seconds)");
    let stopwatch = Stopwatch::start();
    // Playwright would download browsers of its own; the tests use the system's Chromium.
    processes::run(
        npm.args(["ci", "--no-fund", "--no-audit"])
            .current_dir(&folder)
            .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"),
    )?;
    report("browser tests", format_args!("installed in {stopwatch}"));
    Ok(())
}

/// The exact versions that `package.json` pins.
pub(super) fn dependencies(folder: &Path) -> Result<Vec<(String, String)>> {
    let package = read_json(&folder.join("package.json"))?;
    let pinned = package["dependencies"].as_object().into_iter().flatten();
    Ok(pinned.filter_map(|(name, version)| Some((name.clone(), version.as_str()?.to_owned()))).collect())
}

fn is_installed(folder: &Path, name: &str, version: &str) -> bool {
    read_json(&folder.join("node_modules").join(name).join("package.json"))
        .is_ok_and(|package| package["version"] == version)
}

fn read_json(path: &Path) -> Result<serde_json::Value> {
    let what = format!("{} cannot be read", path.display());
    let text = fs::read_to_string(path).map_err(Failure::while_doing(what.as_str()))?;
    serde_json::from_str(&text).map_err(Failure::while_doing(what))
}

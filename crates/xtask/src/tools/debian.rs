//! Debian's packages.

use std::path::Path;

use crate::failure::Result;
use crate::processes;
use crate::stopwatch::Stopwatch;
use crate::tools::{on_path, report};

/// Installs packages with apt, as root on Debian and its relatives.
///
/// # Errors
/// Elsewhere, with a sentence that says what to install.
pub(crate) fn install(what: &str, packages: &[&str]) -> Result {
    let list = packages.join(" and ");
    let root = processes::answer(processes::command("id").arg("-u")).as_deref() == Some("0");
    if !root || on_path("apt-get").is_none() || !Path::new("/etc/debian_version").exists() {
        return Err(format!(
            "{what} is missing. Install it: on Debian, the packages {list} \
             (this command does so itself when it runs as root)."
        )
        .into());
    }
    report(what, format_args!("installing Debian's {list} (about a minute)"));
    let stopwatch = Stopwatch::start();
    apt_get(&["update"])?;
    apt_get(&[&["install", "--yes", "--no-install-recommends"], packages].concat())?;
    report(what, format_args!("installed in {stopwatch}"));
    Ok(())
}

fn apt_get(arguments: &[&str]) -> Result {
    processes::run(
        processes::command("apt-get").arg("--quiet").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

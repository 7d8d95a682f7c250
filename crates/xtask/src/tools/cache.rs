//! The per-user folder that installed tools live in, one folder a version.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use crate::failure::{Failure, Result};
use crate::stopwatch::Stopwatch;
use crate::tools::report;

/// `$XDG_CACHE_HOME/instagram-connect`, or `~/.cache/instagram-connect`.
///
/// # Errors
/// When the environment names no home folder.
pub(crate) fn folder() -> Result<PathBuf> {
    let set = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set("XDG_CACHE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("instagram-connect"))
        .ok_or_else(|| "Set HOME or XDG_CACHE_HOME: there is no folder to install tools into.".into())
}

/// Runs an installation into a folder beside `destination`, and puts that in place once it is complete.
///
/// So a tool that is there is whole: an installation that was interrupted leaves only a folder that nobody looks at.
///
/// # Errors
/// When the installation fails, or the folder cannot be put in place.
pub(crate) fn install(
    tool: &str,
    hint: &str,
    destination: &Path,
    installation: impl FnOnce(&Path) -> Result,
) -> Result {
    report(tool, format_args!("installing into {} ({hint})", destination.display()));
    let stopwatch = Stopwatch::start();
    let mut name = destination.file_name().unwrap_or_default().to_owned();
    name.push(format!(".partial-{}", process::id()));
    let partial = destination.with_file_name(name);
    fs::create_dir_all(&partial)
        .map_err(Failure::while_doing(format!("{} cannot be made", partial.display())))?;
    let result = installation(&partial).and_then(|()| {
        // Left from a version that no longer runs, or put there meanwhile by another run: the new one is as good.
        let _ = fs::remove_dir_all(destination);
        fs::rename(&partial, destination)
            .map_err(Failure::while_doing(format!("{} cannot be put in place", destination.display())))
    });
    if result.is_err() {
        let _ = fs::remove_dir_all(&partial);
    }
    result?;
    report(tool, format_args!("installed in {stopwatch}"));
    Ok(())
}

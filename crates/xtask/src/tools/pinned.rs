//! Programs that are needed in one exact version.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Result;
use crate::processes;
use crate::tools::{cache, on_path, report};

/// A program needed in one exact version, and how to get it.
pub(super) struct Tool {
    /// The program's file name.
    pub(super) program: &'static str,
    /// The name of its folder in the cache, without the version.
    pub(super) package: &'static str,
    pub(super) version: String,
    /// The version as `--version` says it, when that differs.
    pub(super) reported: String,
    /// Where an installation puts the program, from its own folder.
    pub(super) inside: &'static str,
    /// How long an installation takes, in words.
    pub(super) hint: &'static str,
    pub(super) install: fn(version: &str, into: &Path) -> Result,
}

impl Tool {
    /// The program's path: from `PATH` or the cache where its version fits, else after installing it.
    pub(super) fn ensure(&self) -> Result<PathBuf> {
        let label = format!("{} {}", self.program, self.version);
        let folder = cache::folder()?.join(format!("{}-{}", self.package, self.version));
        let cached = folder.join(self.inside).join(self.program);
        let found =
            on_path(self.program).into_iter().chain([cached.clone()]).find(|program| self.fits(program));
        if let Some(program) = found {
            report(&label, format_args!("found ({})", program.display()));
            return Ok(program);
        }
        cache::install(&label, self.hint, &folder, |into| (self.install)(&self.version, into))?;
        if self.fits(&cached) {
            Ok(cached)
        } else {
            Err(format!("{label} was installed, but does not run.").into())
        }
    }

    /// Whether the program runs and says that it is this version.
    fn fits(&self, program: &Path) -> bool {
        processes::answer(processes::command(program).arg("--version"))
            .is_some_and(|said| said.split_whitespace().any(|word| word == self.reported))
    }
}

/// `cargo install` from a folder outside the workspace, whose cargo configuration must not count.
pub(super) fn cargo_install(into: &Path) -> Command {
    let mut command = processes::cargo();
    command.current_dir(into).args([OsStr::new("install"), OsStr::new("--root"), into.as_os_str()]);
    // Without a target folder that the person has chosen, cargo builds in a temporary one and removes it.
    command.env_remove("CARGO_TARGET_DIR");
    command
}

/// Lets a chain of calls on a [`Command`] end in running it.
pub(super) trait Run {
    fn run(&mut self) -> Result;
}

impl Run for Command {
    fn run(&mut self) -> Result {
        processes::run(self)
    }
}

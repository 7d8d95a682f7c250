//! Programs that are needed in one exact version.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{fs, iter};

use crate::failure::{Failure, Result};
use crate::processes;
use crate::stopwatch::roughly;
use crate::tools::release::{self, Release};
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
    /// The folder that an installation puts the program into, from its own folder.
    pub(super) inside: &'static str,
    /// The program as its project releases it. Used where it is of the wanted version and can be reached.
    pub(super) release: Option<Release<'static>>,
    /// Time that `install` takes on two cores.
    pub(super) usual: Duration,
    pub(super) install: fn(version: &str, into: &Path) -> Result,
}

impl Tool {
    /// The program's path: from `PATH` or the cache where its version fits, else after installing it.
    pub(super) fn ensure(&self) -> Result<PathBuf> {
        let label = format!("{} {}", self.program, self.version);
        if let Some(program) = self.find()? {
            report(&label, format_args!("found ({})", program.display()));
            return Ok(program);
        }
        let folder = self.folder()?;
        let base = release::base_url();
        let installation = |into: &Path| self.install_into(&label, base.as_deref(), into);
        cache::install(&label, &self.hint(), &folder, installation)?;
        let program = folder.join(self.inside).join(self.program);
        if self.fits(&program) {
            Ok(program)
        } else {
            Err(format!("{label} was installed, but does not run.").into())
        }
    }

    /// Returns how long [`Tool::ensure`] takes on two cores where the tool's release cannot be reached.
    pub(super) fn time_to_install(&self) -> Result<Duration> {
        Ok(if self.find()?.is_some() { Duration::ZERO } else { self.usual })
    }

    fn find(&self) -> Result<Option<PathBuf>> {
        let cached = self.folder()?.join(self.inside).join(self.program);
        Ok(on_path(self.program).into_iter().chain(iter::once(cached)).find(|program| self.fits(program)))
    }

    fn folder(&self) -> Result<PathBuf> {
        Ok(cache::folder()?.join(format!("{}-{}", self.package, self.version)))
    }

    fn hint(&self) -> String {
        let usual = roughly(self.usual);
        if self.release.is_some() { format!("{usual} where it has to be compiled") } else { usual }
    }

    /// Takes the program from its release where that can be had and runs here, else compiles it.
    fn install_into(&self, label: &str, base: Option<&str>, into: &Path) -> Result {
        if let Some(release) = self.release.filter(|release| release.version == self.version) {
            let folder = into.join(self.inside);
            fs::create_dir_all(&folder)
                .map_err(Failure::while_doing(format!("{label} cannot be installed")))?;
            let program = folder.join(self.program);
            if release.download(label, base, &program)? {
                if self.fits(&program) {
                    return Ok(());
                }
                report(label, "the released program does not run on this machine");
                // Cargo refuses to replace what it has not installed.
                fs::remove_file(&program)
                    .map_err(Failure::while_doing(format!("{label} cannot be removed")))?;
            }
            report(label, format_args!("compiling it ({}, once)", roughly(self.usual)));
        }
        (self.install)(&self.version, into)
    }

    /// Tells whether the program runs and says that it is this version.
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

#[cfg(test)]
mod tests {
    use super::super::release::tests::{Folder, archive, greet, serve};
    use super::*;

    const CHECKSUM: &str = "cd";

    fn tool(version: &str, release: Release<'static>) -> Tool {
        Tool {
            program: "greet",
            package: "greet",
            version: version.to_owned(),
            reported: version.to_owned(),
            inside: "bin",
            release: Some(release),
            usual: Duration::from_secs(60),
            install: |_, into| {
                assert!(!into.join("bin/greet").exists(), "cargo would refuse to replace it");
                fs::write(into.join("compiled"), "").map_err(Failure::while_doing("test"))
            },
        }
    }

    #[test]
    fn a_tool_is_compiled_where_its_release_cannot_be_had() {
        let base = serve(archive("elsewhere"));
        for (case, tool) in [
            ("not found", tool("3.0", greet("3.0", CHECKSUM))),
            ("no release of this version", tool("1.1", greet("1.0", CHECKSUM))),
        ] {
            let folder = Folder::new("compiled");
            tool.install_into("greet", Some(&base), &folder.0).unwrap();
            assert!(folder.0.join("compiled").exists(), "{case}");
        }
    }

    #[test]
    fn a_tool_with_a_wrong_checksum_is_not_compiled_in_silence() {
        let folder = Folder::new("refused");
        let base = serve(archive("replaced"));
        tool("1.0", greet("1.0", CHECKSUM)).install_into("greet", Some(&base), &folder.0).unwrap_err();
        assert!(!folder.0.join("compiled").exists());
    }

    #[test]
    fn a_release_that_does_not_run_here_is_compiled() {
        let archive = archive("of another version");
        let checksum: &'static str = Box::leak(release::sha256(&archive).into_boxed_str());
        let folder = Folder::new("does-not-run");
        let base = serve(archive);
        tool("1.0", greet("1.0", checksum)).install_into("greet", Some(&base), &folder.0).unwrap();
        assert!(folder.0.join("compiled").exists());
    }
}

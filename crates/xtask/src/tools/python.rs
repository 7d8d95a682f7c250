//! Programs that come as Python packages, each in a virtual environment of its own in the cache.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::processes;
use crate::stopwatch::Stopwatch;
use crate::tools::{cache, debian, on_path, report};

/// A package in one exact version.
pub(super) struct Package {
    /// Its name in the index.
    pub(super) name: &'static str,
    /// The version wanted.
    pub(super) version: &'static str,
    /// The module that has to import.
    pub(super) module: &'static str,
    /// The program that it brings.
    pub(super) program: &'static str,
}

impl Package {
    /// The program's path, after installing the package where it is missing.
    ///
    /// # Errors
    /// When it is neither there nor to be had.
    pub(super) fn ensure(&self) -> Result<PathBuf> {
        let label = format!("{} {}", self.name, self.version);
        let environment = cache::folder()?.join(self.name.to_lowercase());
        let program = environment.join("bin").join(self.program);
        if self.fits(&environment) {
            report(&label, format_args!("found ({})", program.display()));
        } else {
            self.install(&label, &environment)?;
        }
        Ok(program)
    }

    /// Tells whether the virtual environment works and holds the wanted version. pip puts a package in place
    /// after everything that it needs, so an installation that was interrupted does not pass.
    fn fits(&self, environment: &Path) -> bool {
        let ask =
            format!("import {}, importlib.metadata as m; print(m.version('{}'))", self.module, self.name);
        processes::answer(processes::command(environment.join("bin/python")).args(["-c", &ask])).as_deref()
            == Some(self.version)
    }

    /// A virtual environment names its own folder in its scripts and cannot be moved: unlike other tools it is made in
    /// place, and [`Package::fits`] tells a complete one.
    fn install(&self, label: &str, environment: &Path) -> Result {
        report(label, format_args!("installing into {} (about half a minute)", environment.display()));
        let stopwatch = Stopwatch::start();
        let made = make_environment(environment);
        if made.is_err() {
            // Debian splits what `venv` needs off from Python.
            debian::install("Python 3 with venv", &["python3", "python3-venv"])?;
            make_environment(environment)?;
        }
        let package = format!("{}=={}", self.name, self.version);
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", &package];
        processes::run(processes::command(environment.join("bin/python")).args(pip))?;
        if !self.fits(environment) {
            return Err(format!("{label} was installed, but does not run.").into());
        }
        report(label, format_args!("installed in {stopwatch}"));
        Ok(())
    }
}

fn make_environment(environment: &Path) -> Result {
    let python: PathBuf = on_path("python3").ok_or("Python 3 is missing.")?;
    if environment.exists() {
        fs::remove_dir_all(environment)
            .map_err(Failure::while_doing(format!("{} cannot be removed", environment.display())))?;
    }
    processes::run(processes::command(python).args(["-m", "venv"]).arg(environment))
}

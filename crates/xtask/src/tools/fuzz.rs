//! cargo-fuzz, which runs the targets in `crates/fuzz`.

use std::path::PathBuf;
use std::time::Duration;

use crate::failure::Result;
use crate::tools::pinned::{Run, Tool, cargo_install};

const VERSION: &str = "0.13.1";

/// The program, installed where it is missing.
///
/// # Errors
/// When it is neither there nor to be had.
pub(crate) fn program() -> Result<PathBuf> {
    Tool {
        program: "cargo-fuzz",
        package: "cargo-fuzz",
        version: VERSION.to_owned(),
        reported: VERSION.to_owned(),
        inside: "bin",
        release: None,
        usual: Duration::from_secs(60),
        install: |version, into| {
            cargo_install(into).args(["cargo-fuzz", "--version", version, "--locked"]).run()
        },
    }
    .ensure()
}

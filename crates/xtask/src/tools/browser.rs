//! The browser of the browser tests, and its driver.

use std::path::PathBuf;

use crate::failure::Result;
use crate::tools::{debian, on_path, report};

/// Programs, and Debian's package of each. The tests speak to Chromium itself; the driver is for other clients, such
/// as wasm-bindgen's test runner, and has to have the same version, so the two are installed together.
const PROGRAMS: [(&str, &str); 2] = [("chromium", "chromium"), ("chromedriver", "chromium-driver")];

/// Chromium's path. `CHROMIUM` names another one than the first on the path.
///
/// # Errors
/// When it is missing and cannot be installed.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("CHROMIUM").map(PathBuf::from) {
        report("Chromium", format_args!("using CHROMIUM ({})", chosen.display()));
        return Ok(chosen);
    }
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| on_path(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    if !missing.is_empty() {
        debian::install("Chromium or its driver", &missing)?;
    }
    let program = on_path("chromium").ok_or("Chromium was installed, but is not on the path.")?;
    report("Chromium", format_args!("found ({})", program.display()));
    Ok(program)
}

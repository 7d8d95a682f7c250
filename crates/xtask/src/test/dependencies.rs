//! The step `dependencies`: licences, versions, sources and known vulnerabilities of what `Cargo.lock` names.

use crate::failure::{Failure, Result};
use crate::test::counts::Counts;
use crate::{processes, tools};

/// Checks that need nothing but the crates themselves.
const CHECKS: [&str; 3] = ["licenses", "bans", "sources"];

/// Source of the known vulnerabilities.
const ADVISORIES: &str = "https://github.com/RustSec/advisory-db";

/// Checks each of these against `deny.toml`. Vulnerabilities count as left out where their list cannot be reached, and
/// the output says so: that the network is missing is no fault of the project.
///
/// # Errors
/// When cargo-deny is missing, or a check fails.
pub(super) fn run(counts: &mut Counts) -> Result {
    let program = tools::cargo_deny()?;
    let mut checks = CHECKS.to_vec();
    if tools::reaches(&format!("{ADVISORIES}/info/refs?service=git-upload-pack"))? {
        checks.push("advisories");
    } else {
        println!("NOT CHECKED: known vulnerabilities. {ADVISORIES} cannot be reached from here.");
        counts.ignored += 1;
    }
    let mut failed = Vec::new();
    for check in checks {
        let mut command = processes::command(&program);
        command.args(["--locked", "check", "--hide-inclusion-graph", check]);
        match processes::run(&mut command) {
            Ok(()) => counts.passed += 1,
            Err(Failure::Because(_)) => {
                counts.failed += 1;
                failed.push(check);
            }
            Err(interrupted) => return Err(interrupted),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("deny.toml refuses: {}.", failed.join(", ")).into()) }
}

//! The programs that the documents' commands use.

use crate::failure::Result;
use crate::tools::{debian, on_path, report};

/// Sees to it that `curl` and `jq` are there.
///
/// # Errors
/// When one is missing and cannot be installed.
pub(crate) fn require_curl_and_jq() -> Result {
    const PROGRAMS: [&str; 2] = ["curl", "jq"];
    if PROGRAMS.iter().any(|program| on_path(program).is_none()) {
        return debian::install("curl or jq", &PROGRAMS);
    }
    report("curl and jq", "found");
    Ok(())
}

//! A MongoDB-compatible server for the store's contract tests.

use std::env;

use crate::failure::Result;
use crate::tools::python::Package;
use crate::tools::report;

/// The Python package `SecantusDB` speaks MongoDB's wire protocol over `WiredTiger`. For tests and development only.
const SECANTUS_DB: Package =
    Package { name: "SecantusDB", version: "0.7.0b3", module: "secantus", program: "secantusd-py" };

/// The variable that tells the tests which server to use, and its value.
///
/// `TEST_MONGODB_URL` where the environment names a server; else `SECANTUSD`, the program with which the tests start
/// servers of their own.
///
/// # Errors
/// When there is no server and none can be installed.
pub(crate) fn server() -> Result<(&'static str, String)> {
    if let Ok(url) = env::var("TEST_MONGODB_URL") {
        // Without its value: it may hold a password.
        report("MongoDB", "using the server that TEST_MONGODB_URL names");
        return Ok(("TEST_MONGODB_URL", url));
    }
    Ok(("SECANTUSD", SECANTUS_DB.ensure()?.display().to_string()))
}

//! The tool that makes requests out of the API's description and compares the answers with it.

use std::path::PathBuf;

use crate::failure::Result;
use crate::tools::python::Package;

const SCHEMATHESIS: Package =
    Package { name: "schemathesis", version: "4.32.5", module: "schemathesis", program: "schemathesis" };

/// The program. Beside it is the Python that it runs on.
///
/// # Errors
/// When it is neither there nor to be had.
pub(crate) fn program() -> Result<PathBuf> {
    SCHEMATHESIS.ensure()
}

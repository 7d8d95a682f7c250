//! The step `schemas`: what the API says of itself, compared with what it does.

use crate::failure::Result;
use crate::test::counts::Counts;
use crate::test::running::Running;
use crate::{processes, tools, workspace};

/// Starts the service and its simulators on free ports with an empty database, and has every route of the document called
/// with and without credentials. `schemas.py` says how.
///
/// # Errors
/// When a tool is missing, a server does not start, or an answer is not as described.
pub(super) fn run(counts: &mut Counts) -> Result {
    let schemathesis = tools::schemathesis()?;
    let running = Running::start("schemas")?;
    let script = workspace::root().join("crates/xtask/src/test/schemas.py");
    processes::run_reading(
        processes::command(schemathesis.with_file_name("python"))
            // A folder for what schemathesis keeps between runs: nothing of it is wanted.
            .current_dir(running.folder())
            .arg(script)
            .env("BACKEND", &running.origin)
            .env("SERVICE", workspace::binary("instagram-connect"))
            .env("DATABASE_URL", running.database_url()),
        |line| counts.add_from_schemas(line),
    )
}

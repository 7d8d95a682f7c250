//! The generators that make clients out of the API's description, and the checker of their types.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::tools::python::Package;
use crate::tools::{cache, node, report};
use crate::{processes, workspace};

const PYTHON: Package = Package {
    name: "openapi-python-client",
    version: "0.29.1",
    module: "openapi_python_client",
    program: "openapi-python-client",
};

const MYPY: Package = Package { name: "mypy", version: "2.4.1", module: "mypy", program: "mypy" };

/// Folder in which the packages for TypeScript are pinned.
const PINNED: &str = "crates/xtask/src/test/clients";

/// The generator for Python. Beside it are the Python that it runs on, and what generated code needs.
///
/// # Errors
/// When it is neither there nor to be had.
pub(crate) fn python() -> Result<PathBuf> {
    PYTHON.ensure()
}

/// Checks the types of Python.
///
/// # Errors
/// When it is neither there nor to be had.
pub(crate) fn mypy() -> Result<PathBuf> {
    MYPY.ensure()
}

/// A folder with `package.json` and `node_modules`: the generator for TypeScript and TypeScript itself, exactly as the lock
/// file names them.
///
/// # Errors
/// When they are neither there nor to be had.
pub(crate) fn typescript() -> Result<PathBuf> {
    let mut npm = node::npm()?;
    let pinned = workspace::root().join(PINNED);
    let installed = cache::folder()?.join("openapi-ts");
    let lock = |folder: &Path| fs::read(folder.join("package-lock.json")).ok();
    // Put in place once it is complete, so what has the lock file has everything.
    if lock(&installed).is_some_and(|found| Some(found) == lock(&pinned)) {
        report("openapi-ts", format_args!("found ({})", installed.display()));
        return Ok(installed);
    }
    cache::install("openapi-ts", "a few seconds", &installed, |folder| {
        for file in ["package.json", "package-lock.json"] {
            fs::copy(pinned.join(file), folder.join(file))
                .map_err(Failure::while_doing(format!("{PINNED}/{file} cannot be copied")))?;
        }
        processes::run(npm.args(["ci", "--no-fund", "--no-audit"]).current_dir(folder))
    })?;
    Ok(installed)
}

/// Checks that commands which install something name what is installed here.
///
/// # Errors
/// Names what they leave out.
pub(crate) fn require_pinned(commands: &str) -> Result {
    let wanted = if commands.starts_with("npm ") {
        let packages = node::dependencies(&workspace::root().join(PINNED))?;
        packages.into_iter().map(|(name, version)| format!("{name}@{version}")).collect()
    } else {
        vec![format!("{}=={}", PYTHON.name, PYTHON.version)]
    };
    match wanted.iter().find(|package| !commands.split_whitespace().any(|word| word == **package)) {
        None => Ok(()),
        Some(missing) => Err(format!("{missing} is what is tested, and not what the guide installs.").into()),
    }
}

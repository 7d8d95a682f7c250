//! The place of the project, and the versions that it has locked.

use std::fs;
use std::path::PathBuf;

use crate::failure::{Failure, Result};

/// The workspace's root folder. It does not depend on the folder from which the command was started.
pub(crate) fn root() -> PathBuf {
    // `cargo run` names the package's folder; the place of compilation is the same unless the binary was moved.
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.ancestors().nth(2).map_or(package.clone(), PathBuf::from)
}

/// The folder that cargo builds into.
pub(crate) fn target() -> PathBuf {
    let root = root();
    // A relative one is meant from where cargo runs, which is always the root here.
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// A program that `cargo build` made.
pub(crate) fn binary(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// The version of `package` in `Cargo.lock`.
///
/// # Errors
/// When the lock file cannot be read or does not name the package.
pub(crate) fn locked_version(package: &str) -> Result<String> {
    let path = root().join("Cargo.lock");
    let lock = fs::read_to_string(&path).map_err(Failure::while_doing("Cargo.lock cannot be read"))?;
    version_in(&lock, package).ok_or_else(|| format!("Cargo.lock names no version of {package}.").into())
}

/// Finds `name = "<package>"` and the `version` line that cargo always writes below it.
fn version_in(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    let version = lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')?;
    Some(version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_package_and_not_of_one_with_a_longer_name() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.1.0\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\nsource = \"x\"\n";
        assert_eq!(version_in(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(version_in(lock, "wasm"), None);
    }
}

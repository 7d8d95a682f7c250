//! Tools that the web app's build needs: the compiler's WebAssembly target, trunk, wasm-bindgen and wasm-opt.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use crate::failure::{Failure, Result};
use crate::tools::pinned::{Run, Tool, cargo_install};
use crate::tools::release::Release;
use crate::tools::{node, on_path, report};
use crate::{processes, workspace};

/// The target triple of the frontend.
const TARGET: &str = "wasm32-unknown-unknown";

/// Bundles the app. 0.21 is the line that the project's `Trunk.toml` is written for.
const TRUNK: &str = "0.21.14";

const TRUNK_RELEASE: Release<'static> = Release {
    version: TRUNK,
    path: "trunk-rs/trunk/releases/download/v{version}/trunk-{target}.tar.gz",
    program: "trunk",
    sha256: [
        "a67f4054b249fe9acc5fabc25de1aebf19783aca3ad6ff64bf34d7da44d0ea20",
        "e8e2a2bb423ce6702ab9f4f02f8c9ae99d790f0301f7634e986b2dd8706019cc",
        "f1ba0e3bbe24e0ae219c6d22c33e24e2825c1608dd27c2556e323495110f1a95",
        "764e299dd50d89442a4e96a236349f57961984b701e74d3dbdb39cd1c9f5101e",
    ],
};

/// Of the version that `Cargo.lock` names: the program and the crate have to be the same.
const BINDGEN_RELEASE: Release<'static> = Release {
    version: "0.2.129",
    path: "wasm-bindgen/wasm-bindgen/releases/download/{version}/wasm-bindgen-{version}-{target}.tar.gz",
    program: "wasm-bindgen-{version}-{target}/wasm-bindgen",
    sha256: [
        "82d12bb940e2d4e72e0d5605387fc1b8ca179044e012b620f0ce4e7440e8320e",
        "2ed4351c35dd9440308bbb02767d47ea278efe851a52465300f3c94f5b6c2a87",
        "7e028879a68ec53dae14048b55cc5215f6df75b17a9c1426fac8fa086d3202fd",
        "81d4a23d56b3c3eb8187658329116d50e0b228a93b343825fb71f70179051cd1",
    ],
};

/// The npm package that carries `wasm-opt`; Debian's is too old for what today's compiler emits. From 130 on,
/// `--all-features` also means compact imports, an encoding that browsers refuse.
const BINARYEN: &str = "129.0.0";

/// The tools of the web app's build, all of them present.
pub(crate) struct WasmTools {
    trunk: PathBuf,
    /// `PATH` with the tools' folders first. Trunk looks for the other tools there.
    path: OsString,
}

impl WasmTools {
    /// Finds or installs them all, and says which.
    ///
    /// # Errors
    /// When one is neither there nor to be had; the sentence names it.
    pub(crate) fn ensure() -> Result<Self> {
        ensure_target()?;
        let [trunk, bindgen, optimizer] = programs()?;
        let [trunk, bindgen, optimizer] = [trunk.ensure()?, bindgen.ensure()?, optimizer.ensure()?];
        let folders =
            [&trunk, &bindgen, &optimizer].map(|program| program.parent().unwrap_or(program).to_owned());
        let inherited = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(folders.into_iter().chain(env::split_paths(&inherited)))
            .map_err(Failure::while_doing("PATH cannot be extended"))?;
        Ok(Self { trunk, path })
    }

    /// Returns how long [`WasmTools::ensure`] takes on two cores where nothing can be downloaded ready-made.
    ///
    /// # Errors
    /// When it cannot be known which version is wanted.
    pub(crate) fn time_to_install() -> Result<Duration> {
        programs()?.iter().map(Tool::time_to_install).sum()
    }

    /// Trunk, told to use only what is here.
    pub(crate) fn trunk(&self, subcommand: &str) -> Command {
        let mut command = processes::command(&self.trunk);
        command.env("PATH", &self.path).args([subcommand, "--offline"]);
        // Trunk reads this variable as a boolean and stops at the usual `NO_COLOR=1`.
        if env::var_os("NO_COLOR").is_some() {
            command.env("NO_COLOR", "true");
        }
        command
    }
}

/// Trunk, wasm-bindgen and wasm-opt.
fn programs() -> Result<[Tool; 3]> {
    let bindgen = workspace::locked_version("wasm-bindgen")?;
    Ok([
        Tool {
            program: "trunk",
            package: "trunk",
            version: TRUNK.to_owned(),
            reported: TRUNK.to_owned(),
            inside: "bin",
            release: Some(TRUNK_RELEASE),
            usual: Duration::from_secs(240),
            install: install_trunk,
        },
        Tool {
            program: "wasm-bindgen",
            package: "wasm-bindgen",
            version: bindgen.clone(),
            reported: bindgen,
            inside: "bin",
            release: Some(BINDGEN_RELEASE),
            usual: Duration::from_secs(180),
            install: install_wasm_bindgen,
        },
        Tool {
            program: "wasm-opt",
            package: "binaryen",
            version: BINARYEN.to_owned(),
            reported: BINARYEN.trim_end_matches(".0.0").to_owned(),
            inside: "node_modules/.bin",
            // It comes from npm, which checks what it downloads against its own checksums.
            release: None,
            usual: Duration::from_secs(10),
            install: install_binaryen,
        },
    ])
}

/// Adds the WebAssembly target to the toolchain in use. Rustup does not do so by itself everywhere.
fn ensure_target() -> Result {
    let folder =
        processes::answer(processes::command("rustc").args(["--print", "target-libdir", "--target", TARGET]));
    // Rustup makes the folder early; the standard library in it is what counts.
    let files = folder.and_then(|folder| fs::read_dir(folder).ok());
    if files.is_some_and(|mut files| files.next().is_some()) {
        report(TARGET, "found");
        return Ok(());
    }
    if on_path("rustup").is_none() {
        return Err(format!(
            "Rust's target {TARGET} is missing, and there is no rustup to add it. Install it."
        )
        .into());
    }
    report(TARGET, "installing with rustup (a few seconds)");
    processes::run(processes::command("rustup").args(["target", "add", TARGET]))
}

fn install_trunk(version: &str, into: &Path) -> Result {
    // Without the update check and the system's TLS library. Trunk only starts other programs: building it fast is
    // worth more than a fast trunk.
    cargo_install(into)
        .args(["trunk", "--version", version, "--locked", "--no-default-features", "--features", "rustls"])
        .envs([("CARGO_PROFILE_RELEASE_LTO", "off"), ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")])
        .run()
}

fn install_wasm_bindgen(version: &str, into: &Path) -> Result {
    // Without `--locked`: the lock file in that package can name versions that no longer exist.
    cargo_install(into).args(["wasm-bindgen-cli", "--version", version]).run()
}

fn install_binaryen(version: &str, into: &Path) -> Result {
    let package = format!("binaryen@{version}");
    processes::run(
        node::npm()?.args(["install", "--no-fund", "--no-audit", "--prefix"]).arg(into).arg(package),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_release_of_wasm_bindgen_is_of_the_locked_version() {
        assert_eq!(workspace::locked_version("wasm-bindgen").unwrap(), BINDGEN_RELEASE.version);
    }
}

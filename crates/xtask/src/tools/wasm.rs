//! What the web app's build needs: the compiler's WebAssembly target, trunk, wasm-bindgen and wasm-opt.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::failure::{Failure, Result};
use crate::tools::pinned::{Run, Tool, cargo_install};
use crate::tools::{node, on_path, report};
use crate::{processes, workspace};

/// The target triple of the frontend.
const TARGET: &str = "wasm32-unknown-unknown";

/// Bundles the app. 0.21 is the line that the project's `Trunk.toml` is written for.
const TRUNK: &str = "0.21.14";

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
        let bindgen = workspace::locked_version("wasm-bindgen")?;
        let trunk = Tool {
            program: "trunk",
            package: "trunk",
            version: TRUNK.to_owned(),
            reported: TRUNK.to_owned(),
            inside: "bin",
            hint: "a few minutes, once",
            install: install_trunk,
        }
        .ensure()?;
        let bindgen = Tool {
            program: "wasm-bindgen",
            package: "wasm-bindgen",
            version: bindgen.clone(),
            reported: bindgen,
            inside: "bin",
            hint: "a few minutes, once",
            install: install_wasm_bindgen,
        }
        .ensure()?;
        let optimizer = Tool {
            program: "wasm-opt",
            package: "binaryen",
            version: BINARYEN.to_owned(),
            reported: BINARYEN.trim_end_matches(".0.0").to_owned(),
            inside: "node_modules/.bin",
            hint: "a few seconds",
            install: install_binaryen,
        }
        .ensure()?;
        let folders =
            [&trunk, &bindgen, &optimizer].map(|program| program.parent().unwrap_or(program).to_owned());
        let inherited = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(folders.into_iter().chain(env::split_paths(&inherited)))
            .map_err(Failure::while_doing("PATH cannot be extended"))?;
        Ok(Self { trunk, path })
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

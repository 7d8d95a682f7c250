//! The programs that building and testing need: found where they are, installed where they are not.

mod browser;
mod cache;
mod debian;
mod deny;
mod fuzz;
mod generators;
mod mongodb;
mod node;
mod pinned;
mod python;
mod release;
mod schemathesis;
mod shell;
mod wasm;

pub(crate) use browser::chromium;
pub(crate) use deny::{program as cargo_deny, time_to_install as time_to_install_cargo_deny};
pub(crate) use fuzz::program as cargo_fuzz;
pub(crate) use generators::{
    mypy, python as python_generator, require_pinned, typescript as typescript_generator,
};
pub(crate) use mongodb::server as mongodb_server;
pub(crate) use node::install_packages as install_node_packages;
pub(crate) use release::reaches;
pub(crate) use schemathesis::program as schemathesis;
pub(crate) use shell::require_curl_and_jq;
pub(crate) use wasm::WasmTools;

use std::env;
use std::path::PathBuf;

/// The first file of that name in the folders of `PATH`.
fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// One line of what is being done about a tool.
fn report(tool: &str, what: impl std::fmt::Display) {
    println!("{tool}: {what}");
}

//! `cargo xtask fuzz`: random input for whatever reads bytes from outside.

use std::fs;

use crate::failure::{Failure, Result};
use crate::{processes, tools, workspace};

/// For how long, and which target.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Minutes for each target.
    #[arg(long, default_value_t = 3)]
    minutes: u32,
    /// The only target to run; all of them where none is named.
    target: Option<String>,
}

/// Runs the targets one after the other and stops at the first input that breaks one, which is kept in a file that is
/// named then. What is found to reach new code stays outside of the committed corpus.
///
/// # Errors
/// When a tool is missing, a target does not exist, or an input breaks one.
pub(crate) fn run(arguments: &Arguments) -> Result {
    let program = tools::cargo_fuzz()?;
    let folder = workspace::root().join("crates/fuzz");
    let found = workspace::target().join("fuzz-corpus");
    let targets = match &arguments.target {
        Some(target) => vec![target.clone()],
        None => all(&folder.join("fuzz_targets"))?,
    };
    for target in targets {
        let (corpus, seeds) = (found.join(&target), folder.join("corpus").join(&target));
        fs::create_dir_all(&corpus).map_err(Failure::while_doing("the corpus cannot be written"))?;
        println!("\n{target}: {} minutes", arguments.minutes);
        let mut command = processes::command(&program);
        // Instrumentation is unstable in name alone: the compiler's passes are in every release. Without a sanitizer, since
        // there is no unsafe code to speak of, and what is looked for is panics.
        command.env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", workspace::target().join("fuzz"));
        command.arg("fuzz").arg("run").arg("--fuzz-dir").arg(&folder).args(["--sanitizer", "none"]);
        command.arg(&target).arg(&corpus).arg(&seeds);
        let seconds = u64::from(arguments.minutes) * 60;
        command.args(["--", &format!("-max_total_time={seconds}"), "-max_len=4096", "-timeout=5"]);
        processes::run(&mut command)?;
    }
    Ok(())
}

fn all(folder: &std::path::Path) -> Result<Vec<String>> {
    let files = fs::read_dir(folder).map_err(Failure::while_doing("the targets cannot be read"))?;
    let mut names: Vec<String> =
        files.filter_map(|file| file.ok()?.path().file_stem()?.to_str().map(str::to_owned)).collect();
    names.sort();
    Ok(names)
}

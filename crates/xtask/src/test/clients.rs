//! The step `clients`: `docs/api-clients.md`, followed to the letter against a running service and its simulators.

use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::failure::{Failure, Result};
use crate::test::counts::Counts;
use crate::test::guide::{Block, Guide};
use crate::test::running::Running;
use crate::{processes, tools, workspace};

/// The guide, and the example that it shows, from the project's root.
const GUIDE: &str = "docs/api-clients.md";
const RUST_EXAMPLE: &str = "crates/client/examples/connect.rs";

/// Address of the service in the guide.
const ADDRESS: &str = "http://localhost:4002";

/// The section that comes before every part, and the parts, each of which is a test.
const BEFORE: &str = "Before you start";
const PARTS: [&str; 4] = ["curl", "Rust", "TypeScript", "Python"];

/// Runs each part of the guide in a shell of its own: its files are written, its commands run in order, and what it says that
/// they print has to be printed. What is installed comes from the cache; the guide has to name the same versions.
///
/// # Errors
/// When a tool is missing, a server does not start, or a part does not work.
pub(super) fn run(counts: &mut Counts) -> Result {
    tools::require_curl_and_jq()?;
    let tools = Tools {
        typescript: tools::typescript_generator()?,
        python: tools::python_generator()?,
        mypy: tools::mypy()?,
    };
    let running = Running::start("clients")?;
    let guide = Guide::read(&workspace::root().join(GUIDE))?;
    let mut failed = Vec::new();
    for name in PARTS {
        println!("--- {name} ---");
        match follow(&guide, name, &tools, &running) {
            Ok(()) => counts.passed += 1,
            Err(Failure::Because(sentence)) => {
                eprintln!("{sentence}");
                counts.failed += 1;
                failed.push(name);
            }
            Err(Failure::Interrupted) => return Err(Failure::Interrupted),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("{GUIDE} is wrong: {}", failed.join(", ")).into()) }
}

/// Paths of the tools that the guide installs.
struct Tools {
    /// A folder with the generator for TypeScript, as npm installed it.
    typescript: PathBuf,
    /// The generator for Python, in its virtual environment.
    python: PathBuf,
    mypy: PathBuf,
}

fn follow(guide: &Guide, name: &str, tools: &Tools, running: &Running) -> Result {
    let folder = running.folder().join(name);
    let part = guide.part(name)?;
    require_example(&part)?;
    prepare(&folder, &part, tools)
        .map_err(Failure::while_doing(format!("{} cannot be prepared", folder.display())))?;
    let mut script = script(&guide.part(BEFORE)?, &part, &folder)?;
    if part.iter().any(|block| block.language == "python") {
        script += &type_check(&tools.mypy);
    }
    let programs = workspace::binary("").display().to_string();
    let script = script.replace(ADDRESS, &running.origin).replace("target/debug/", &programs);
    let printed = run_script(&folder.join("guide.sh"), &script, running)?;
    guide.require_printed(name, &printed.replace(&running.origin, ADDRESS))
}

/// The commands of a part, after those that come before every part.
fn script(before: &[Block], part: &[Block], folder: &Path) -> Result<String> {
    let mut script = String::from("set -euo pipefail\n");
    script.extend(before.iter().filter(|block| block.language == "sh").map(|block| block.text.as_str()));
    for block in part.iter().filter(|block| block.language == "sh") {
        if block.is_installation() {
            tools::require_pinned(&block.text)?;
            // The guide says: in a folder of your own. All else is in the project's.
            let _ = writeln!(script, "cd '{}'", folder.display());
        } else {
            script += &block.text;
        }
    }
    Ok(script)
}

/// The command that compiles the generated Python and the program that uses it, as far as Python is compiled.
fn type_check(mypy: &Path) -> String {
    let config = workspace::root().join("crates/xtask/src/test/clients/mypy.ini");
    format!(
        "'{}' --config-file '{}' --python-executable .venv/bin/python connect.py instagram_connect\n",
        mypy.display(),
        config.display()
    )
}

/// Checks that the guide shows the example as it is.
fn require_example(part: &[Block]) -> Result {
    let Some(block) = part.iter().find(|block| block.language == "rust") else { return Ok(()) };
    let example = fs::read_to_string(workspace::root().join(RUST_EXAMPLE))
        .map_err(Failure::while_doing(format!("{RUST_EXAMPLE} cannot be read")))?;
    if block.text == example {
        Ok(())
    } else {
        Err(format!("{GUIDE} shows another program than {RUST_EXAMPLE}.").into())
    }
}

/// Writes what a part says is in files, and puts in place what it installs.
fn prepare(folder: &Path, part: &[Block], tools: &Tools) -> io::Result<()> {
    fs::create_dir(folder)?;
    for block in part {
        match block.language.as_str() {
            "ts" => {
                fs::write(folder.join("connect.ts"), &block.text)?;
                // Copied, because the generator looks for `tsconfig.json` from where it lies itself.
                copy_folder(&tools.typescript, folder)?;
            }
            "python" => {
                fs::write(folder.join("connect.py"), &block.text)?;
                // The program is `bin/…` in it.
                let environment = tools.python.ancestors().nth(2).unwrap_or(&tools.python);
                symlink(environment, folder.join(".venv"))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, copy) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_symlink() {
            symlink(fs::read_link(entry.path())?, copy)?;
        } else if kind.is_dir() {
            fs::create_dir(&copy)?;
            copy_folder(&entry.path(), &copy)?;
        } else {
            fs::copy(entry.path(), copy)?;
        }
    }
    Ok(())
}

/// Runs a script to its end, and gives what it printed.
fn run_script(file: &Path, script: &str, running: &Running) -> Result<String> {
    fs::write(file, script).map_err(Failure::while_doing(format!("{} cannot be written", file.display())))?;
    let mut printed = String::new();
    processes::run_reading(
        processes::command("bash").arg(file).env("DATABASE_URL", running.database_url()),
        |line| printed += &format!("{line}\n"),
    )?;
    Ok(printed)
}

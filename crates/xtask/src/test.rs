//! `cargo xtask test`: every check, one after the other, and one summary.

mod clients;
mod counts;
mod dependencies;
mod guide;
mod running;
mod schemas;
mod summary;

use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::ValueEnum;

use crate::failure::{Failure, Result};
use crate::progress::{Progress, Usual};
use crate::stopwatch::Stopwatch;
use crate::tools::{self, WasmTools};
use crate::{frontend, processes, workspace};
use counts::Counts;
use summary::{Outcome, Summary};

/// What to check.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run this step alone; can be given several times.
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
    /// Run what takes long in full: the simulated year of 1,000 connections, on both stores (up to an hour).
    #[arg(long)]
    long: bool,
}

/// The steps, in the order in which they run: what fails fast comes first.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Find or install what the later steps need.
    Tools,
    /// Formatting.
    Format,
    /// Licences, versions, sources and known vulnerabilities of the dependencies.
    Dependencies,
    /// Lints of everything but the frontend, warnings as errors.
    Lints,
    /// Lints of the frontend, as it is compiled for the browser.
    FrontendLints,
    /// Unit, contract (SQLite and MongoDB) and HTTP tests.
    Tests,
    /// The API's description against what the service answers.
    Schemas,
    /// The examples of the guide to API clients.
    Clients,
    /// The web app, built as it is deployed.
    App,
    /// Browser tests.
    Browser,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Format => "format",
            Self::Dependencies => "dependencies",
            Self::Lints => "lints",
            Self::FrontendLints => "frontend-lints",
            Self::Tests => "tests",
            Self::Schemas => "schemas",
            Self::Clients => "clients",
            Self::App => "app",
            Self::Browser => "browser",
        }
    }

    /// Returns how long the step takes.
    fn usual(self, long: bool) -> Result<Usual> {
        Ok(match self {
            Self::Tools => {
                let tools = WasmTools::time_to_install()? + tools::time_to_install_cargo_deny()?;
                Usual::Install(tools.as_secs() + 60)
            }
            Self::Format => Usual::Build { first: 5, again: 5 },
            Self::Dependencies => Usual::Build { first: 20, again: 10 },
            Self::Lints => Usual::Build { first: 180, again: 30 },
            Self::FrontendLints => Usual::Build { first: 60, again: 10 },
            Self::Tests if long => Usual::Build { first: 4200, again: 3900 },
            Self::Tests => Usual::Build { first: 600, again: 300 },
            Self::Schemas => Usual::Build { first: 60, again: 60 },
            Self::Clients => Usual::Build { first: 60, again: 40 },
            Self::App => Usual::Build { first: 180, again: 60 },
            Self::Browser => Usual::Build { first: 240, again: 240 },
        })
    }

    /// Returns true for a step that runs tests: it has shown nothing when none ran.
    fn has_tests(self) -> bool {
        matches!(self, Self::Tests | Self::Schemas | Self::Clients | Self::Browser)
    }

    /// Runs the step. The tests that it ran are added to `counts` even when it fails.
    fn run(self, long: bool, counts: &mut Counts) -> Result {
        match self {
            Self::Tools => ensure_tools(),
            Self::Format => processes::run(processes::cargo().args(["fmt", "--all", "--check"])),
            Self::Dependencies => dependencies::run(counts),
            Self::Lints => processes::run(processes::cargo().args([
                "clippy",
                "--workspace",
                "--exclude",
                "frontend",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ])),
            Self::FrontendLints => processes::run(
                processes::cargo()
                    .args(["clippy", "--package", "frontend", "--target", "wasm32-unknown-unknown"])
                    .args(["--", "-D", "warnings"]),
            ),
            Self::Tests => {
                let (variable, server) = tools::mongodb_server()?;
                let mut tests = processes::cargo();
                tests.args(["test", "--workspace", "--no-fail-fast"]).env(variable, server);
                if long {
                    // The long tests say what they found; without this, only failures are shown.
                    tests.env("LONG_TESTS", "1").args(["--", "--show-output"]);
                }
                processes::run_reading(&mut tests, |line| counts.add_from_cargo(line))
            }
            Self::Schemas => schemas::run(counts),
            Self::Clients => clients::run(counts),
            Self::App => frontend::build(),
            Self::Browser => test_in_browser(counts),
        }
    }
}

/// Runs the steps and prints the summary. A failed step does not keep the others from running.
///
/// # Errors
/// When a step failed, or this process was asked to end.
pub(crate) fn run(arguments: &Arguments) -> Result {
    let wanted = |step: &&Step| arguments.only.is_empty() || arguments.only.contains(step);
    let steps: Vec<Step> = Step::value_variants().iter().filter(wanted).copied().collect();
    let usual = |step: &Step| Ok((step.name(), step.usual(arguments.long)?));
    let command = if arguments.long { "test --long" } else { "test" };
    let mut progress = Progress::new(command, steps.iter().map(usual).collect::<Result<_>>()?);
    let mut summary = Summary::default();
    for step in steps {
        println!("\n=== {} ===", progress.next());
        let stopwatch = Stopwatch::start();
        let mut counts = Counts::default();
        let failure = match step.run(arguments.long, &mut counts) {
            Ok(()) if step.has_tests() && counts.passed == 0 => Some("no test ran".to_owned()),
            Ok(()) => {
                progress.took(stopwatch.elapsed());
                None
            }
            Err(Failure::Interrupted) => return Err(Failure::Interrupted),
            Err(Failure::Because(sentence)) => {
                eprintln!("{}: {sentence}", step.name());
                Some(sentence)
            }
        };
        summary.add(Outcome { step: step.name(), took: stopwatch.elapsed(), counts, failure });
    }
    println!("\n{summary}");
    summary.verdict()
}

/// Asks for every tool, so that what is missing is known before the long steps. Each later step asks again for its own.
fn ensure_tools() -> Result {
    let tools: [fn() -> Result; 10] = [
        || WasmTools::ensure().map(|_| ()),
        || tools::cargo_deny().map(|_| ()),
        || tools::mongodb_server().map(|_| ()),
        || tools::schemathesis().map(|_| ()),
        tools::require_curl_and_jq,
        || tools::typescript_generator().map(|_| ()),
        || tools::python_generator().map(|_| ()),
        || tools::mypy().map(|_| ()),
        || tools::chromium().map(|_| ()),
        tools::install_node_packages,
    ];
    let mut sentences = Vec::new();
    for ensure in tools {
        match ensure() {
            Err(Failure::Because(sentence)) => sentences.push(sentence),
            other => other?,
        }
    }
    if sentences.is_empty() { Ok(()) } else { Err(sentences.join(" ").into()) }
}

/// The browser tests, with Node's own test runner.
fn test_in_browser(counts: &mut Counts) -> Result {
    let chromium = tools::chromium()?;
    tools::install_node_packages()?;
    if !workspace::root().join("dist/index.html").exists() {
        return Err("There is no dist/: the step `app` has to build it first.".into());
    }
    // The whole workspace, as `cargo test` builds it: choosing packages would change the features of what they
    // share, and compile it a second time.
    processes::run(processes::cargo().args(["build", "--workspace", "--bins", "--examples"]))?;
    processes::run_reading(
        processes::command("node")
            // One file at a time: each starts servers and a browser, and one of them needs fixed ports.
            .args(["--test", "--test-concurrency=1", "--test-reporter=spec"])
            .args(browser_test_files()?)
            .current_dir(workspace::root().join("e2e"))
            .env("CHROMIUM", chromium)
            .env("BINARIES", workspace::target().join("debug"))
            .env("SCREENSHOTS", workspace::target().join("screenshots")),
        |line| counts.add_from_node(line),
    )
}

/// The files `tests/*.test.mjs` of `e2e/`, by name. Node's own search differs between its versions.
fn browser_test_files() -> Result<Vec<PathBuf>> {
    let tests = Path::new("tests");
    let mut files = fs::read_dir(workspace::root().join("e2e").join(tests))
        .and_then(|entries| {
            entries.map(|entry| Ok(tests.join(entry?.file_name()))).collect::<io::Result<Vec<_>>>()
        })
        .map_err(Failure::while_doing("e2e/tests/ cannot be read"))?;
    files.retain(|file| file.to_str().is_some_and(|name| name.ends_with(".test.mjs")));
    files.sort();
    Ok(files)
}

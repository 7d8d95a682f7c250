#![doc = include_str!("../README.md")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::{Failure, Result};

mod bench;
mod dev;
mod failure;
mod frontend;
mod fuzz;
mod ports;
mod processes;
mod progress;
mod simulators;
mod stopwatch;
mod test;
mod tools;
mod workspace;

/// The commands of this project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the simulators, the backend and the frontend, and print one URL. Ctrl-C stops them.
    Dev,
    /// Run every check: formatting, lints, unit, contract, HTTP and browser tests.
    Test(test::Arguments),
    /// Measure the service against a bare route, and the web app in a browser. Takes minutes and wants the machine alone.
    Bench,
    /// Feed random input to whatever reads bytes from outside. Three minutes a target, and as many to build them at first.
    Fuzz(fuzz::Arguments),
    /// Build what is deployed: the release backend, and the web app in dist/.
    Build,
}

fn main() -> ExitCode {
    let result = processes::listen_for_interrupts().and_then(|()| match Arguments::parse().command {
        Command::Dev => dev::run(),
        Command::Test(arguments) => test::run(&arguments),
        Command::Bench => bench::run(),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Build => build(),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Interrupted) => {
            eprintln!("Stopped.");
            ExitCode::from(130)
        }
        Err(Failure::Because(sentence)) => {
            eprintln!("\nerror: {sentence}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the backend and the web app as they are deployed.
fn build() -> Result {
    processes::run(processes::cargo().args(["build", "--release", "--package", "backend"]))?;
    frontend::build()?;
    println!("\nBuilt target/release/instagram-connect and dist/.");
    Ok(())
}

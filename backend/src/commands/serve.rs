//! `serve`: the service itself.

use std::process::ExitCode;
use std::sync::Arc;

use super::Outcome;
use crate::config::{Config, Variables};
use crate::server::Service;
use domain::clock::SystemClock;

pub(super) async fn run() -> Outcome {
    let config = Config::from_env(&Variables::of_process_and_file()?)?;
    crate::start_logging(&config.log)?;
    Service::start(&config, Arc::new(SystemClock)).await?.run().await?;
    Ok(ExitCode::SUCCESS)
}

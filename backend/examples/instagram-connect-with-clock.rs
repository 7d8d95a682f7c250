//! The service with a clock that tests can move: the number of seconds in the file named by `CLOCK_OFFSET_FILE` is added to
//! the machine's time. Where `POLL_MILLISECONDS` is set, jobs look for due work that often, and for profiles to be read a tenth as
//! often: in a simulated year, hours pass in a moment. `SYNC_INTERVAL_DAYS` is for intervals that are longer than the service takes. An example, so that it is built for tests and never shipped.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use backend::clock::{Clock, SystemClock};
use backend::config::{Config, Variables};
use backend::server::Service;
use jiff::{SignedDuration, Timestamp};

struct MovableClock {
    offset_file: PathBuf,
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        let offset =
            std::fs::read_to_string(&self.offset_file).ok().and_then(|text| text.trim().parse().ok());
        SystemClock.now() + SignedDuration::from_secs(offset.unwrap_or(0))
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let variables = Variables::of_process_and_file()?;
    let offset_file =
        variables.get("CLOCK_OFFSET_FILE")?.ok_or("CLOCK_OFFSET_FILE: expected a file's path")?.into();
    let mut config = Config::from_env(&variables)?;
    if let Some(milliseconds) = variables.get("POLL_MILLISECONDS")? {
        config.jobs.refresh_poll = Duration::from_millis(milliseconds.parse()?);
        config.jobs.sync_poll = config.jobs.refresh_poll * 10;
    }
    if let Some(days) = variables.get("SYNC_INTERVAL_DAYS")? {
        config.jobs.sync_interval = SignedDuration::from_hours(24 * days.parse::<i64>()?);
    }
    backend::start_logging(&config.log)?;
    Service::start(&config, Arc::new(MovableClock { offset_file })).await?.run().await?;
    Ok(())
}

#![doc = include_str!("../README.md")]

mod api_key;
pub mod app;
mod caller;
mod carry_out;
pub mod commands;
pub mod config;
mod cookies;
mod error;
mod etag;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod idempotency;
mod jobs;
mod limits;
mod logging;
mod metrics;
mod middleware;
mod openapi;
mod passwords;
mod request_body;
mod routes;
pub mod server;
mod service_keys;
mod webhooks;

pub use domain::clock;

pub use logging::start as start_logging;

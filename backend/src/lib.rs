#![doc = include_str!("../README.md")]

mod api_error;
pub mod app;
mod caller;
pub mod commands;
pub mod config;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod health;
mod jobs;
mod limits;
mod logging;
mod metrics;
mod middleware;
mod notifications;
mod openapi;
mod pages;
mod request;
mod routes;
pub mod server;
mod service_keys;
mod state;

pub use domain::clock;

pub use logging::start as start_logging;

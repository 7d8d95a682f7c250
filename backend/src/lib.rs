#![doc = include_str!("../README.md")]

mod api_key;
pub mod app;
mod caller;
mod carry_out;
pub mod clock;
pub mod commands;
pub mod config;
mod connections;
mod cookies;
mod error;
mod etag;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod idempotency;
mod jitter;
mod jobs;
mod limits;
mod logging;
mod metrics;
mod middleware;
mod openapi;
mod passwords;
mod persist;
mod request_body;
mod routes;
mod secret_token;
pub mod server;
mod service_keys;
mod signed_request;
mod webhooks;

pub use logging::start as start_logging;

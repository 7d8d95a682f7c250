#![doc = include_str!("../README.md")]

pub mod app;
mod caller;
pub mod clock;
pub mod commands;
pub mod config;
mod connections;
mod error;
mod jobs;
mod logging;
mod metrics;
mod middleware;
mod passwords;
mod request_body;
mod routes;
mod secret_token;
pub mod server;
mod signed_request;
mod webhooks;

pub use logging::start as start_logging;

#![doc = include_str!("../README.md")]

pub mod app;
mod caller;
pub mod clock;
pub mod config;
mod connections;
mod error;
mod jobs;
mod logging;
mod middleware;
mod passwords;
mod request_body;
mod routes;
mod secret_token;
pub mod server;

pub use logging::start as start_logging;

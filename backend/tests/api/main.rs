//! The HTTP API, tested from outside. One file a route file, and one for what holds on every path.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod auth_instagram;
mod canaries;
mod configuration;
mod every_path;
mod integrations_instagram;
mod integrations_instagram_renewal;
mod known_failures;
mod mongodb;
mod process;
mod refresh_job;
mod session;
mod support;
mod users;
mod web_app;

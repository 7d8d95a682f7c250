//! Real HTTP against two stand-ins: a server that gives any answer byte for byte, and the simulator, which behaves like
//! Spotify.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod answers;
mod app;
mod authorization_request;
mod failures;
mod get;
mod observer;
mod secrets;
mod simulated;
mod wire;

//! The client against two services: the real one with its Instagram, for each call, and one that gives any answer byte for
//! byte, for what happens when an answer is bad or does not come.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod calls;
mod canned;
mod failures;
mod retries;
mod service;

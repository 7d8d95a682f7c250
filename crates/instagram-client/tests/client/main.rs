//! Real HTTP against two stand-ins: `canned`, which gives any answer byte for byte, and the simulator, which behaves like
//! Instagram. Tests named `known_failure_<n>_…` show why a failure of `known-failures.md` cannot happen here.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod answers;
mod authorize_url;
mod canned;
mod failures;
mod graph;
mod observer;
mod secrets;
mod simulated;
mod wire;

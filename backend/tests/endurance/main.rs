//! Connections stay alive whatever happens to the programs that keep them: real processes, killed at the worst moments,
//! over both stores, and a simulated year.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod killed;
mod leases;
mod listeners;
mod receiver;
mod service;
mod stopped;
mod year;

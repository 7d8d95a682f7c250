#![doc = include_str!("../README.md")]

mod account;
pub mod accounts;
mod authorize;
mod catalog;
mod config;
mod consent_page;
mod errors;
mod faults;
mod options;
mod profile;
mod refreshes;
mod routes;
mod simulator;
mod tokens;
mod world;

pub use account::AccountChange;
pub use accounts::AccountIds;
pub use config::Config;
pub use faults::{Endpoint, Fault, PlannedFault, RandomFailures};
pub use options::{ErrorBody, NotRegistered, Options, Rotation, ScopeShape};
pub use refreshes::{RefreshOutcome, RefreshRecord};
pub use simulator::Simulator;
pub use simulator_kit::{Consent, Times};
pub use tokens::Tokens;

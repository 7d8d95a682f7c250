#![doc = include_str!("../README.md")]

mod account;
pub mod accounts;
mod config;
mod consent_page;
mod content;
mod failures;
mod faults;
mod graph;
mod graph_error;
mod oauth;
mod options;
mod refreshes;
mod routes;
mod signed_request;
mod simulator;
mod tokens;
mod world;

pub use accounts::AccountIds;
pub use config::Config;
pub use failures::RandomFailures;
pub use faults::{Endpoint, Fault, PlannedFault};
pub use options::{Options, TokenShape, UserIdForm, UserIdKind};
pub use refreshes::{RefreshOutcome, RefreshRecord};
pub use signed_request::SignedBy;
pub use simulator::Simulator;
pub use simulator_kit::{Consent, Times};

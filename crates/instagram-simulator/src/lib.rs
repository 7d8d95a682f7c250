#![doc = include_str!("../README.md")]

pub mod accounts;
mod answer;
mod config;
mod consent;
mod consent_page;
mod content;
mod failures;
mod faults;
mod graph;
mod oauth;
mod options;
mod parameters;
mod refreshes;
mod routes;
mod signed_request;
mod simulator;
mod tokens;
mod wire;
mod world;

pub use accounts::AccountIds;
pub use config::Config;
pub use consent::Consent;
pub use failures::RandomFailures;
pub use faults::{Endpoint, Fault, PlannedFault, Times};
pub use options::{Options, TokenShape, UserIdForm, UserIdKind};
pub use refreshes::{RefreshOutcome, RefreshRecord};
pub use signed_request::SignedBy;
pub use simulator::Simulator;

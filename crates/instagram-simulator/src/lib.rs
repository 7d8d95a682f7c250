#![doc = include_str!("../README.md")]

pub mod accounts;
mod answer;
mod config;
mod consent;
mod consent_page;
mod faults;
mod graph;
mod oauth;
mod options;
mod parameters;
mod routes;
mod simulator;
mod tokens;
mod wire;
mod world;

pub use config::Config;
pub use consent::Consent;
pub use faults::{Endpoint, Fault, PlannedFault, Times};
pub use options::{Options, TokenShape, UserIdForm, UserIdKind};
pub use simulator::Simulator;

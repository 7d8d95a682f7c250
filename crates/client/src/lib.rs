#![doc = include_str!("../README.md")]

mod client;
mod error;
mod queries;
mod retries;
mod tls;
mod transport;

pub use client::Client;
pub use error::{ConfigError, Error};
pub use queries::{ConnectionsFilter, EventsPage, HistoryPage, Login};
pub use retries::Retries;
pub use shared;

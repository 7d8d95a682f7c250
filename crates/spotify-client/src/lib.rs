#![doc = include_str!("../README.md")]

mod client;
mod config;
mod endpoints;
mod failure;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod profile;
mod token;

pub use client::{AuthorizationRequest, AuthorizeOptions, SpotifyClient};
pub use config::{Config, DEFAULT_ACCOUNTS_URL, DEFAULT_API_URL};
pub use failure::DEFAULT_RETRY_AFTER;
pub use profile::Profile;
pub use token::{Refreshed, Tokens};

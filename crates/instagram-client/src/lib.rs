#![doc = include_str!("../README.md")]

mod answer;
mod client;
mod config;
mod endpoints;
mod failure;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod oauth;
mod profile;
mod signed_request;
mod token;
mod usage;

pub use client::{AuthorizeOptions, InstagramClient};
pub use config::{
    Config, DEFAULT_AUTHORIZE_URL, DEFAULT_GRAPH_URL, DEFAULT_GRAPH_VERSION, DEFAULT_TOKEN_URL,
    is_graph_version,
};
pub use profile::{AccountType, Profile};
pub use signed_request::{SignedRequest, SignedRequestError, SigningSecrets};
pub use token::{LongLivedToken, ShortLivedToken};
pub use usage::DEFAULT_RETRY_AFTER;

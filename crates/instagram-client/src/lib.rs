#![doc = include_str!("../README.md")]

mod answer;
mod client;
mod config;
mod error;
mod failure;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod graph;
mod json;
mod oauth;
mod observer;
mod profile;
mod redact;
mod signed_request;
mod tls;
mod token;
mod transport;
mod usage;

pub use client::{AuthorizeOptions, InstagramClient};
pub use config::{
    Config, ConfigError, DEFAULT_AUTHORIZE_URL, DEFAULT_GRAPH_URL, DEFAULT_GRAPH_VERSION, DEFAULT_TIMEOUT,
    DEFAULT_TOKEN_URL, is_graph_version,
};
pub use error::{DEFAULT_RETRY_AFTER, InstagramError, LimitOf, MAX_RETRY_AFTER};
pub use graph::{GraphBody, GraphCall, GraphMethod, MAX_GRAPH_ANSWER};
pub use json::{readable_json, replace_lone_surrogates};
pub use observer::{Call, CallObserver};
pub use profile::{AccountType, Profile};
pub use signed_request::{SignedRequest, SignedRequestError, SigningSecrets};
pub use token::{AccessToken, LongLivedToken, ShortLivedToken};

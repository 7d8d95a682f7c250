#![doc = include_str!("../README.md")]

mod answer;
mod call;
mod config;
mod error;
mod forward;
mod json;
mod oauth;
mod observer;
mod redact;
mod retry_after;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;
mod token;
mod transport;

pub use answer::{lifetime, required_token};
pub use call::{ApiBody, ApiCall, ApiMethod};
pub use config::{ConfigError, check_http, check_not_empty, parse_redirect_uri};
pub use error::{AccessTo, LimitOf, UpstreamError};
pub use forward::{MAX_FORWARDED_ANSWER, bearer, without_token};
pub use json::{readable_json, replace_lone_surrogates};
pub use observer::{Call, CallObserver};
pub use redact::sanitise;
pub use retry_after::{MAX_RETRY_AFTER, from_retry_after, longest_wait};
pub use token::{AccessToken, CodeVerifier, RefreshToken};
pub use transport::{DEFAULT_TIMEOUT, Endpoint, Judge, MAX_ANSWER, Transport, below};

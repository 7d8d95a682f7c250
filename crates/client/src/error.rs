//! Errors, sorted by what a caller can do about them.

use std::time::Duration;

use shared::{ErrorBody, ErrorCode};

/// Reasons why a client cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The address is not `http://…` or `https://…`, or it has a user, a query or a fragment.
    #[error("the service's address has to be http:// or https://, a host, and perhaps a port and a path")]
    Address,
    /// The key has characters that no header can hold.
    #[error("the key is not one of this API: it has characters that a header cannot hold")]
    Key,
    /// The operating system has no certificates to trust.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// The HTTP library refused.
    #[error("the HTTP client cannot be made")]
    Http(#[source] reqwest::Error),
}

/// Reasons why a call came to nothing. No variant holds the key or an address, which may have a code in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The service said no, in the words of its contract.
    #[error("{} ({}, request {})", .0.error, .0.code.as_str(), .0.request_id)]
    Refused(Box<ErrorBody>),
    /// Nobody was reached: nothing was asked for.
    #[error("the service cannot be reached")]
    NotReached(#[source] reqwest::Error),
    /// The answer did not come, or not whole: it is not known whether the call was carried out.
    #[error("the service's answer did not come")]
    NoAnswer(#[source] reqwest::Error),
    /// The answer is none of this API: something in between speaks, or a service of another version.
    #[error("an answer with status {status} is not one of this API")]
    Unintelligible {
        /// The answer's status.
        status: u16,
        /// The answer's `X-Request-Id`, if it had one.
        request_id: Option<String>,
        /// Time to wait, where the answer gave it in seconds.
        retry_after: Option<Duration>,
    },
    /// A user's id or a part of a path that no address can hold.
    #[error("an id or a part of a path is empty, `.` or `..`")]
    Unaddressable,
}

impl Error {
    /// The contract's code, where the service refused.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(body) => Some(body.code),
            _ => None,
        }
    }

    /// Leads to the lines of the service's log.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Refused(body) => Some(&body.request_id),
            Self::Unintelligible { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
    }

    /// Returns the time to wait before another attempt, where the service gave it.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(body) => body.retry_after.map(Duration::from_secs),
            Self::Unintelligible { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(crate) fn of_transport(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if error.is_connect() { Self::NotReached(error) } else { Self::NoAnswer(error) }
    }
}

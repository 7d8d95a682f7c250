//! Everything that the simulator remembers.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::web::ServiceConfig;
use jiff::Timestamp;
use serde_json::Value;
use simulator_kit::{Answer, Base};

use crate::account::{Account, made_up};
use crate::authorize::Code;
use crate::config::Config;
use crate::errors::{api_error, status, token_error};
use crate::faults::{Endpoint, Fault};
use crate::options::Options;
use crate::refreshes::RefreshRecord;
use crate::routes;
use crate::tokens::{AccessToken, Grant, RefreshToken};

/// The simulated Spotify: its people, one app, and what it has issued.
///
/// The rules live beside what they are about: [`crate::authorize`], [`crate::tokens`], [`crate::profile`],
/// [`crate::catalog`].
#[derive(Debug)]
pub struct World {
    pub(crate) base: Base<Self>,
    pub(crate) config: Config,
    /// Authorization codes by their text. A used one stays for a while, as expired tokens do.
    pub(crate) codes: HashMap<String, Code>,
    /// What people let the app do, by number.
    pub(crate) grants: HashMap<u64, Grant>,
    /// Refresh tokens by their text.
    pub(crate) refresh_tokens: HashMap<String, RefreshToken>,
    /// Access tokens by their text.
    pub(crate) access_tokens: HashMap<String, AccessToken>,
    /// Number of grants, which is the last one's.
    pub(crate) granted: u64,
    /// Number of tokens that have been issued, which is the last one's serial number.
    pub(crate) issued: u64,
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            base: Base::new(made_up()),
            config,
            codes: HashMap::new(),
            grants: HashMap::new(),
            refresh_tokens: HashMap::new(),
            access_tokens: HashMap::new(),
            granted: 0,
            issued: 0,
        }
    }
}

impl simulator_kit::World for World {
    const PROVIDER: &str = "Spotify";

    type Endpoint = Endpoint;
    type Fault = Fault;
    type Options = Options;
    type Account = Account;
    type Refresh = RefreshRecord;

    fn base(&self) -> &Base<Self> {
        &self.base
    }

    fn base_mut(&mut self) -> &mut Base<Self> {
        &mut self.base
    }

    fn routes(app: &mut ServiceConfig) {
        routes::configure(app);
    }

    fn unknown(_: &str) -> Answer {
        api_error(StatusCode::NOT_FOUND, "Service not found", None)
    }

    fn instead(&self, fault: &Fault) -> Answer {
        let too_many = StatusCode::TOO_MANY_REQUESTS;
        match fault {
            Fault::QuotaExceeded { retry_after } => {
                api_error(too_many, "Quota exceeded", Some("QUOTA_EXCEEDED"))
                    .with_header("Retry-After", retry_after)
            }
            Fault::ServerError { status: chosen } => {
                let text =
                    "upstream connect error or disconnect/reset before headers. reset reason: overflow";
                Answer::text(status(*chosen), text)
            }
            Fault::TokenError { error, description } => token_error(error, description.as_deref()),
            Fault::ApiError { status: chosen, message, reason } => {
                api_error(status(*chosen), message, reason.as_deref())
            }
            Fault::PlainError { status: chosen, text } => Answer::text(status(*chosen), text),
            Fault::RateLimited { retry_after: Some(seconds) } => {
                self.blunt_error(too_many, TOO_MANY).with_header("Retry-After", seconds)
            }
            // Faults of the wire never come here.
            _ => self.blunt_error(too_many, TOO_MANY),
        }
    }

    fn chances(delay_ms: u64) -> Vec<Vec<Fault>> {
        Fault::chances(delay_ms)
    }

    fn sweep(&mut self, dead_before: Timestamp) {
        self.codes.retain(|_, code| code.expires_at > dead_before);
        self.access_tokens.retain(|_, token| token.expires_at > dead_before);
        self.grants.retain(|_, grant| grant.expires_at > dead_before);
        self.refresh_tokens.retain(|_, token| self.grants.contains_key(&token.grant));
    }

    fn issue(&mut self, account: usize) -> Value {
        self.issue_tokens(account).1
    }
}

const TOO_MANY: &str = "Too many requests";

//! Everything that the simulator remembers.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::web::ServiceConfig;
use jiff::Timestamp;
use serde_json::{Value, json};
use simulator_kit::{Answer, Base};

use crate::account::{Account, made_up};
use crate::accounts::RECORD_SHOP_ID;
use crate::config::Config;
use crate::content::Content;
use crate::failures::chances;
use crate::faults::{Endpoint, Fault};
use crate::graph_error::GraphError;
use crate::oauth::Code;
use crate::options::Options;
use crate::refreshes::RefreshRecord;
use crate::routes;
use crate::tokens::Token;

/// The simulated Instagram: its people, one app, and what it has issued.
///
/// The rules live beside what they are about: [`crate::oauth`], [`crate::tokens`], [`crate::graph`].
#[derive(Debug)]
pub struct World {
    pub(crate) base: Base<Self>,
    pub(crate) config: Config,
    /// Authorization codes by their text. A used one stays, so that its second use is told from a wrong one.
    pub(crate) codes: HashMap<String, Code>,
    /// Access tokens by their text. Dead ones stay for a while, so that they can say why they died.
    pub(crate) tokens: HashMap<String, Token>,
    /// Number of tokens that have been issued, which is the last one's serial number.
    pub(crate) issued: u64,
    pub(crate) content: Content,
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            base: Base::new(made_up()),
            config,
            codes: HashMap::new(),
            tokens: HashMap::new(),
            issued: 0,
            content: Content::default(),
        }
    }

    fn rate_limited(&self, status: StatusCode) -> Answer {
        let app = json!({ "call_count": 100, "total_time": 25, "total_cputime": 25 });
        let business = json!({ RECORD_SHOP_ID.to_string(): [{
            "type": "instagram", "call_count": 100, "total_time": 25, "total_cputime": 25,
            "estimated_time_to_regain_access": self.base.options.regain_access_minutes,
        }]});
        Answer::from(GraphError::rate_limited(status))
            .with_header("X-App-Usage", &app)
            .with_header("X-Business-Use-Case-Usage", &business)
    }
}

impl simulator_kit::World for World {
    const PROVIDER: &str = "Instagram";

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

    fn unknown(path: &str) -> Answer {
        GraphError::new(2500, None, format!("Unknown path components: {path}")).into()
    }

    fn instead(&self, fault: &Fault) -> Answer {
        match fault {
            Fault::RateLimited => self.rate_limited(StatusCode::TOO_MANY_REQUESTS),
            Fault::GraphError { code, subcode, error_type, message, is_transient } => GraphError {
                error_type: error_type.clone(),
                is_transient: *is_transient,
                ..GraphError::new(*code, *subcode, message)
            }
            .into(),
            Fault::ServerError { status } => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let message = "An unexpected error has occurred. Please retry your request later.";
                GraphError { status, is_transient: true, ..GraphError::new(2, None, message) }.into()
            }
            // Faults of the wire never come here.
            _ => self.rate_limited(StatusCode::BAD_REQUEST),
        }
    }

    fn chances(delay_ms: u64) -> Vec<Vec<Fault>> {
        chances(delay_ms)
    }

    fn sweep(&mut self, dead_before: Timestamp) {
        self.tokens.retain(|_, token| token.expires_at > dead_before);
        self.codes.retain(|_, code| code.expires_at > dead_before);
    }

    fn issue(&mut self, account: usize) -> Value {
        let token = self.issue_long_lived(account);
        json!({ "access_token": token, "expires_in": self.base.options.expires_in })
    }
}

//! The life of a token: issued, exchanged, refreshed, dead (spec `instagram-api.md` §2–§4).

use std::sync::Arc;

use actix_web::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use simulator_kit::{Answer, Parameters, random_text};

use crate::account::{Account, Revocation};
use crate::faults::Fault;
use crate::graph_error::GraphError;
use crate::oauth::PERMISSIONS;
use crate::options::{Options, TokenShape, UserIdForm};
use crate::refreshes::{RefreshOutcome, RefreshRecord};
use crate::world::World;

/// The life of a short-lived token.
const SHORT_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// A younger token cannot be refreshed.
const REFRESH_AGE: SignedDuration = SignedDuration::from_hours(24);

/// The two kinds of access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Short,
    Long,
}

/// An access token that has been issued.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) account: usize,
    pub(crate) kind: Kind,
    pub(crate) permissions: Arc<[String]>,
    /// Its number among all tokens, from 1.
    pub(crate) serial: u64,
    issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Reasons why a token is dead.
enum Death {
    /// With this subcode.
    Revoked(i64),
    Expired,
}

impl World {
    /// `POST /oauth/access_token`: a code becomes a short-lived token.
    pub(crate) fn code_exchange(&mut self, form: &Parameters) -> Answer {
        match self.redeem_code(form) {
            Ok(body) => Answer::ok(&body),
            // Not Graph's envelope: this endpoint has its own.
            Err(message) => Answer::json(
                StatusCode::BAD_REQUEST,
                &json!({ "error_type": "OAuthException", "code": 400, "error_message": message }),
            ),
        }
    }

    fn redeem_code(&mut self, form: &Parameters) -> Result<Value, &'static str> {
        if form.text("client_id") != self.config.app_id {
            return Err("Invalid platform app");
        }
        if form.text("client_secret") != self.config.app_secret {
            return Err("Error validating client secret");
        }
        if form.text("grant_type") != "authorization_code" {
            return Err("Invalid grant_type");
        }
        let now = self.base.now();
        let code = self.codes.get_mut(form.text("code")).filter(|code| !code.used);
        let code = code.ok_or("Matching code was not found or was already used")?;
        if code.expires_at <= now {
            return Err("This authorization code has expired");
        }
        if code.redirect_uri != form.text("redirect_uri") {
            return Err(
                "Error validating verification code. Please make sure your redirect_uri is identical \
                        to the one you used in the OAuth dialog request",
            );
        }
        code.used = true;
        let (account, permissions) = (code.account, Arc::<[String]>::from(code.permissions.clone()));
        let (text, _) = self.issue(account, Kind::Short, Arc::clone(&permissions));
        Ok(short_lived_body(&self.base.options, &self.base.accounts[account], &text, &permissions))
    }

    /// `GET /access_token`: a short-lived token becomes a long-lived one.
    pub(crate) fn long_lived(&mut self, query: &Parameters, bearer: Option<&str>) -> Answer {
        self.exchange(query, bearer).into()
    }

    fn exchange(&mut self, query: &Parameters, bearer: Option<&str>) -> Result<Answer, GraphError> {
        expect_grant_type(query, "ig_exchange_token")?;
        if query.text("client_secret") != self.config.app_secret {
            return Err(GraphError::new(101, None, "Error validating client secret."));
        }
        let (_, token) = self.live_token(query, bearer)?;
        if token.kind == Kind::Long {
            return Err(GraphError::bad_request("Only a short-lived token can be exchanged"));
        }
        let (account, permissions) = (token.account, Arc::clone(&token.permissions));
        let (text, _) = self.issue(account, Kind::Long, permissions);
        Ok(Answer::ok(&self.long_lived_body(&text)))
    }

    /// `GET /refresh_access_token`: a long-lived token lives longer. `fault`: what then happens to the answer.
    pub(crate) fn refresh(
        &mut self,
        query: &Parameters,
        bearer: Option<&str>,
        fault: Option<&Fault>,
    ) -> Answer {
        let subject = self.refresh_subject(query, bearer, fault);
        let (outcome, renewed_into, answer) = match self.renew(query, bearer) {
            Ok((answer, serial)) => (RefreshOutcome::Renewed, Some(serial), answer),
            Err((outcome, error)) => (outcome, None, error.into()),
        };
        self.base.refreshes.extend(subject.map(|logged| RefreshRecord { outcome, renewed_into, ..logged }));
        answer
    }

    /// A refresh that a fault answers, before anything is done.
    pub(crate) fn refresh_prevented(&mut self, query: &Parameters, bearer: Option<&str>, fault: &Fault) {
        let subject = self.refresh_subject(query, bearer, Some(fault));
        self.base.refreshes.extend(subject);
    }

    /// The record of a refresh that has failed so far. `None` where there is no such token.
    fn refresh_subject(
        &self,
        query: &Parameters,
        bearer: Option<&str>,
        fault: Option<&Fault>,
    ) -> Option<RefreshRecord> {
        let token = self.tokens.get(given_token(query, bearer)?)?;
        let at = self.base.now();
        Some(RefreshRecord {
            at,
            account: self.base.accounts[token.account].username.clone(),
            token: token.serial,
            age_seconds: at.duration_since(token.issued_at).as_secs().try_into().unwrap_or_default(),
            outcome: RefreshOutcome::Failed,
            renewed_into: None,
            delivered_whole: fault.is_none_or(simulator_kit::Fault::delivers_whole),
        })
    }

    /// The answer and the serial number of the token in it.
    fn renew(
        &mut self,
        query: &Parameters,
        bearer: Option<&str>,
    ) -> Result<(Answer, u64), (RefreshOutcome, GraphError)> {
        let failed = |error| (RefreshOutcome::Failed, error);
        expect_grant_type(query, "ig_refresh_token").map_err(failed)?;
        let (text, token) = match self.live_token(query, bearer) {
            Ok(found) => found,
            Err(error) => return Err((self.refusal(query, bearer), error)),
        };
        if token.kind == Kind::Short {
            return Err(failed(GraphError::bad_request("Only a long-lived token can be refreshed")));
        }
        if self.base.now().duration_since(token.issued_at) < REFRESH_AGE {
            let error = GraphError::bad_request("The token must be at least 24 hours old to be refreshed");
            return Err((RefreshOutcome::TooYoung, error));
        }
        let Token { account, serial, .. } = *token;
        let permissions = Arc::clone(&token.permissions);
        let listed = self.base.options.refresh_permissions.then(|| permissions.join(","));
        let (text, serial) = if self.base.options.refresh_rotates {
            // The old token keeps its own life.
            self.issue(account, Kind::Long, permissions)
        } else {
            let renewed = self.new_token(account, Kind::Long, permissions, serial);
            self.tokens.insert(text.to_owned(), renewed);
            (text.to_owned(), serial)
        };
        let mut body = self.long_lived_body(&text);
        if let Some(listed) = listed {
            body["permissions"] = listed.into();
        }
        Ok((Answer::ok(&body), serial))
    }

    /// Names, as the log does, the reason for which [`World::live_token`] refuses a token.
    fn refusal(&self, query: &Parameters, bearer: Option<&str>) -> RefreshOutcome {
        let token = given_token(query, bearer).and_then(|text| self.tokens.get(text));
        match token.and_then(|token| self.death(token)) {
            Some(Death::Revoked(_)) => RefreshOutcome::Revoked,
            Some(Death::Expired) => RefreshOutcome::Expired,
            None => RefreshOutcome::Failed,
        }
    }

    /// Returns the reason why a token is dead, if it is. A revoked one that has expired was revoked.
    fn death(&self, token: &Token) -> Option<Death> {
        let killed = self.base.accounts[token.account].revocation;
        if let Some(killed) = killed.filter(|killed| killed.last_token >= token.serial) {
            return Some(Death::Revoked(killed.subcode));
        }
        (token.expires_at <= self.base.now()).then_some(Death::Expired)
    }

    /// The token that a Graph call carries, if it lives and the app may act for its account.
    pub(crate) fn live_token<'a>(
        &self,
        query: &'a Parameters,
        bearer: Option<&'a str>,
    ) -> Result<(&'a str, &Token), GraphError> {
        let missing = || GraphError::new(104, None, "An access token is required to request this resource.");
        let text = given_token(query, bearer).ok_or_else(missing)?;
        let malformed =
            || GraphError::new(190, None, "Invalid OAuth access token - Cannot parse access token");
        let token = self.tokens.get(text).ok_or_else(malformed)?;
        match self.death(token) {
            Some(Death::Revoked(subcode)) => return Err(revoked(subcode)),
            Some(Death::Expired) => return Err(self.expired(token)),
            None => {}
        }
        if !self.base.accounts[token.account].app_access {
            return Err(GraphError::app_access());
        }
        Ok((text, token))
    }

    fn expired(&self, token: &Token) -> GraphError {
        let day = "%A, %d-%b-%y %H:%M:%S UTC";
        let message = format!(
            "Error validating access token: Session has expired on {}. The current time is {}.",
            token.expires_at.strftime(day),
            self.base.now().strftime(day)
        );
        GraphError::new(190, Some(self.base.options.expired_subcode), message)
    }

    /// A new long-lived token with every permission.
    pub(crate) fn issue_long_lived(&mut self, account: usize) -> String {
        let permissions = PERMISSIONS.iter().map(|permission| permission.name.to_owned()).collect();
        self.issue(account, Kind::Long, permissions).0
    }

    /// Kills every token of an account. Later ones live.
    pub(crate) fn revoke(&mut self, account: usize, subcode: i64) {
        self.base.accounts[account].revocation = Some(Revocation { last_token: self.issued, subcode });
    }

    /// A new token's text and serial number.
    fn issue(&mut self, account: usize, kind: Kind, permissions: Arc<[String]>) -> (String, u64) {
        let text = format!("IGAA{}", random_text::<120>());
        self.issued += 1;
        self.base.accounts[account].last_token = self.issued;
        let token = self.new_token(account, kind, permissions, self.issued);
        self.tokens.insert(text.clone(), token);
        (text, self.issued)
    }

    fn new_token(&self, account: usize, kind: Kind, permissions: Arc<[String]>, serial: u64) -> Token {
        let issued_at = self.base.now();
        let life = match kind {
            Kind::Short => SHORT_LIFE,
            Kind::Long => {
                SignedDuration::from_secs(self.base.options.expires_in.try_into().unwrap_or(i64::MAX))
            }
        };
        // A life beyond the end of time is a life without end.
        let expires_at = issued_at.checked_add(life).unwrap_or(Timestamp::MAX);
        Token { account, kind, permissions, serial, issued_at, expires_at }
    }

    fn long_lived_body(&self, text: &str) -> Value {
        json!({ "access_token": text, "token_type": "bearer", "expires_in": self.base.options.expires_in })
    }
}

/// The text of the token that a call carries. The query wins over the `Authorization` header, as what Meta documents.
fn given_token<'a>(query: &'a Parameters, bearer: Option<&'a str>) -> Option<&'a str> {
    query.get("access_token").or(bearer).filter(|text| !text.is_empty())
}

fn expect_grant_type(query: &Parameters, expected: &str) -> Result<(), GraphError> {
    if query.text("grant_type") == expected {
        return Ok(());
    }
    Err(GraphError::bad_request(format!("Invalid parameter: grant_type must be {expected}")))
}

fn short_lived_body(options: &Options, account: &Account, text: &str, permissions: &[String]) -> Value {
    let id = account.id(options.token_user_id_kind);
    let id = match options.token_user_id {
        UserIdForm::Number => Value::from(id),
        UserIdForm::Text => Value::from(id.to_string()),
    };
    let mut body = json!({ "access_token": text, "user_id": id });
    match options.token_shape {
        TokenShape::PermissionsList => body["permissions"] = permissions.into(),
        TokenShape::PermissionsText => body["permissions"] = permissions.join(",").into(),
        TokenShape::WrappedInData => {
            body["permissions"] = permissions.join(",").into();
            body = json!({ "data": [body] });
        }
        TokenShape::WithoutPermissions => {}
    }
    body
}

fn revoked(subcode: i64) -> GraphError {
    let why = match subcode {
        458 => "The user has not authorized application.",
        459 => {
            "You cannot access the app till you log in to www.instagram.com and follow the instructions given."
        }
        460 => {
            "The session has been invalidated because the user changed their password or Facebook has changed \
             the session for security reasons."
        }
        463 => "Session has expired.",
        464 => "Sessions for the user are not allowed because the user is not a confirmed user.",
        _ => "The session is invalid.",
    };
    GraphError::new(190, Some(subcode), format!("Error validating access token: {why}"))
}

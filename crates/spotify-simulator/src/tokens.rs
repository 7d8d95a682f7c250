//! The life of tokens: exchanged for a code, refreshed, expired, revoked (spec `spotify-api.md` §2 and §3).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use simulator_kit::{Answer, Parameters, random_text};

use crate::authorize::SCOPES;
use crate::errors::TokenError;
use crate::faults::Fault;
use crate::options::{Rotation, ScopeShape};
use crate::refreshes::{RefreshOutcome, RefreshRecord};
use crate::world::World;

/// An access token and a refresh token that have been issued.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
}

/// Shows no token.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Tokens").finish_non_exhaustive()
    }
}

/// What a person let the app do, once. All tokens that come of it share its end.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) account: usize,
    pub(crate) scopes: Vec<String>,
    /// Six calendar months after the authorization. Refreshing does not move it.
    pub(crate) expires_at: Timestamp,
    pub(crate) revoked: bool,
    /// Time until which the client certainly has a working access token.
    access_until: Timestamp,
}

/// A refresh token that has been issued.
#[derive(Debug)]
pub(crate) struct RefreshToken {
    pub(crate) grant: u64,
    serial: u64,
    issued_at: Timestamp,
    /// True: another has taken its place.
    replaced: bool,
}

/// An access token that has been issued.
#[derive(Debug)]
pub(crate) struct AccessToken {
    pub(crate) grant: u64,
    pub(crate) expires_at: Timestamp,
}

/// Credentials of the client: those of the `Authorization` header, else those of the form.
struct Client(String, String);

impl Client {
    fn of(authorization: Option<&str>, form: &Parameters) -> Option<Self> {
        let Some(header) = authorization else {
            return Some(Self(form.get("client_id")?.to_owned(), form.get("client_secret")?.to_owned()));
        };
        let decoded = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
        let (id, secret) = str::from_utf8(&decoded).ok()?.split_once(':')?;
        Some(Self(id.to_owned(), secret.to_owned()))
    }
}

impl World {
    /// Answers `POST /api/token` with a code. `fault`: what then happens to the answer.
    pub(crate) fn code_exchange(
        &mut self,
        authorization: Option<&str>,
        form: &Parameters,
        fault: Option<&Fault>,
    ) -> Answer {
        match self.redeem_code(authorization, form, fault) {
            Ok(body) => Answer::ok(&body),
            Err(error) => self.refused(error),
        }
    }

    fn redeem_code(
        &mut self,
        authorization: Option<&str>,
        form: &Parameters,
        fault: Option<&Fault>,
    ) -> Result<Value, TokenError> {
        self.check_client(authorization, form)?;
        match form.text("grant_type") {
            "authorization_code" => {}
            "" => return Err(unsupported("grant_type parameter is missing")),
            _ => return Err(unsupported("grant_type must be authorization_code or refresh_token")),
        }
        let (now, given) = (self.base.now(), given(form, "code", "code must be supplied")?);
        let code = self.codes.get_mut(given).filter(|code| !code.used);
        let code = code.ok_or(TokenError::invalid_grant("Invalid authorization code"))?;
        if code.expires_at <= now {
            return Err(TokenError::invalid_grant("Authorization code expired"));
        }
        if code.redirect_uri != form.text("redirect_uri") {
            return Err(TokenError::invalid_grant("Invalid redirect URI"));
        }
        check_verifier(code.challenge.as_deref(), form.get("code_verifier"))?;
        code.used = true;
        let (account, scopes, authorized_at) = (code.account, code.scopes.clone(), code.authorized_at);
        if self.base.options.consent_ends_older {
            self.grants
                .values_mut()
                .filter(|grant| grant.account == account)
                .for_each(|grant| grant.revoked = true);
        }
        let grant = self.grant(account, scopes, authorized_at);
        let (refresh_token, _) = self.issue_refresh_token(grant);
        let (mut body, _) = self.issue_access_token(grant, fault);
        body["refresh_token"] = refresh_token.into();
        Ok(body)
    }

    /// Answers `POST /api/token` with a refresh token. `fault`: what then happens to the answer.
    pub(crate) fn refresh(
        &mut self,
        authorization: Option<&str>,
        form: &Parameters,
        fault: Option<&Fault>,
    ) -> Answer {
        let subject = self.refresh_subject(form, fault);
        let log = |world: &mut Self, outcome, access_token, rotated_into| {
            let record = subject.clone();
            let told = |record| RefreshRecord { outcome, access_token, rotated_into, ..record };
            world.base.refreshes.extend(record.map(told));
        };
        match self.try_refresh(authorization, form, fault) {
            Ok((body, access_token, rotated_into)) => {
                log(self, RefreshOutcome::Refreshed, Some(access_token), rotated_into);
                Answer::ok(&body)
            }
            Err((outcome, error)) => {
                log(self, outcome, None, None);
                self.refused(error)
            }
        }
    }

    /// Records a refresh that a fault answers, before anything is done.
    pub(crate) fn refresh_prevented(&mut self, form: &Parameters, fault: &Fault) {
        let subject = self.refresh_subject(form, Some(fault));
        self.base.refreshes.extend(subject);
    }

    /// Returns the record of a refresh that has failed so far. `None` where there is no such token.
    fn refresh_subject(&self, form: &Parameters, fault: Option<&Fault>) -> Option<RefreshRecord> {
        let token = self.refresh_tokens.get(form.text("refresh_token"))?;
        let grant = self.grants.get(&token.grant)?;
        let at = self.base.now();
        let seconds = |duration: SignedDuration| duration.as_secs().try_into().unwrap_or_default();
        Some(RefreshRecord {
            at,
            account: self.base.accounts[grant.account].username.clone(),
            token: token.serial,
            age_seconds: seconds(at.duration_since(token.issued_at)),
            access_seconds_left: seconds(grant.access_until.duration_since(at)),
            outcome: RefreshOutcome::Failed,
            access_token: None,
            rotated_into: None,
            delivered_whole: fault.is_none_or(simulator_kit::Fault::delivers_whole),
        })
    }

    /// Returns the answer, and the serial numbers of the access token and the refresh token in it.
    fn try_refresh(
        &mut self,
        authorization: Option<&str>,
        form: &Parameters,
        fault: Option<&Fault>,
    ) -> Result<(Value, u64, Option<u64>), (RefreshOutcome, TokenError)> {
        let failed = |error| (RefreshOutcome::Failed, error);
        self.check_client(authorization, form).map_err(failed)?;
        let text = given(form, "refresh_token", "refresh_token must be supplied").map_err(failed)?;
        let found =
            self.refresh_tokens.get(text).and_then(|token| Some((token, self.grants.get(&token.grant)?)));
        let (token, grant) = found.ok_or(failed(TokenError::invalid_grant("Invalid refresh token")))?;
        let revoked = TokenError::invalid_grant("Refresh token revoked");
        if grant.revoked || token.replaced {
            return Err((RefreshOutcome::Revoked, revoked));
        }
        if grant.expires_at <= self.base.now() {
            let expired = TokenError::invalid_grant("Refresh token expired");
            let said = if self.base.options.expired_says_revoked { revoked } else { expired };
            return Err((RefreshOutcome::Expired, said));
        }
        let grant = token.grant;
        let (mut body, access_token) = self.issue_access_token(grant, fault);
        let rotation = self.base.options.rotation;
        let mut rotated_into = None;
        match rotation {
            Rotation::Off => {}
            Rotation::Null => body["refresh_token"] = Value::Null,
            Rotation::Empty => body["refresh_token"] = "".into(),
            Rotation::On | Rotation::OnOldDies => {
                let (next, serial) = self.issue_refresh_token(grant);
                body["refresh_token"] = next.into();
                rotated_into = Some(serial);
            }
        }
        if let Some(old) = self.refresh_tokens.get_mut(text) {
            old.replaced = rotation == Rotation::OnOldDies;
        }
        Ok((body, access_token, rotated_into))
    }

    fn check_client(&self, authorization: Option<&str>, form: &Parameters) -> Result<(), TokenError> {
        let Client(id, secret) = Client::of(authorization, form).ok_or(TokenError::invalid_client(None))?;
        if id != self.config.client_id {
            return Err(TokenError::invalid_client("Invalid client"));
        }
        if secret != self.config.client_secret {
            return Err(TokenError::invalid_client("Invalid client secret"));
        }
        Ok(())
    }

    /// Issues tokens with every scope, as a client with an OAuth flow of its own would hold them.
    pub(crate) fn issue_tokens(&mut self, account: usize) -> (Tokens, Value) {
        let scopes = SCOPES.iter().map(|scope| scope.name.to_owned()).collect();
        let grant = self.grant(account, scopes, self.base.now());
        let (refresh_token, _) = self.issue_refresh_token(grant);
        let (mut body, _) = self.issue_access_token(grant, None);
        body["refresh_token"] = refresh_token.as_str().into();
        let access_token = body["access_token"].as_str().unwrap_or_default().to_owned();
        (Tokens { access_token, refresh_token }, body)
    }

    /// Plays a person who removes the app: every refresh token is revoked, and the next consent shows the
    /// page.
    pub(crate) fn revoke(&mut self, account: usize) {
        self.base.accounts[account].revoked = true;
        self.base.accounts[account].agreement = None;
        for grant in self.grants.values_mut().filter(|grant| grant.account == account) {
            grant.revoked = true;
        }
    }

    /// Keeps what a person let the app do, and returns its number.
    fn grant(&mut self, account: usize, scopes: Vec<String>, authorized_at: Timestamp) -> u64 {
        self.base.accounts[account].revoked = false;
        let end = authorized_at.to_zoned(TimeZone::UTC).checked_add(6.months());
        let expires_at = end.map_or(Timestamp::MAX, |end| end.timestamp());
        let grant = Grant { account, scopes, expires_at, revoked: false, access_until: Timestamp::MIN };
        self.granted += 1;
        self.grants.insert(self.granted, grant);
        self.granted
    }

    /// Returns a new refresh token's text and serial number.
    fn issue_refresh_token(&mut self, grant: u64) -> (String, u64) {
        let text = format!("AQ{}", random_text::<96>());
        self.issued += 1;
        let token = RefreshToken { grant, serial: self.issued, issued_at: self.base.now(), replaced: false };
        self.refresh_tokens.insert(text.clone(), token);
        (text, self.issued)
    }

    /// Returns an answer with a new access token, and the token's serial number.
    fn issue_access_token(&mut self, grant: u64, fault: Option<&Fault>) -> (Value, u64) {
        let text = format!("BQ{}", random_text::<120>());
        let expires_in = self.base.options.expires_in;
        let life = SignedDuration::from_secs(expires_in.try_into().unwrap_or(i64::MAX));
        // A life beyond the end of time is a life without end.
        let expires_at = self.base.now().checked_add(life).unwrap_or(Timestamp::MAX);
        let mut body = json!({ "access_token": text, "token_type": "Bearer", "expires_in": expires_in });
        if let Some(grant) = self.grants.get_mut(&grant) {
            match self.base.options.scope {
                ScopeShape::Granted => body["scope"] = grant.scopes.join(" ").into(),
                ScopeShape::Absent => {}
                ScopeShape::Empty => body["scope"] = "".into(),
            }
            if fault.is_none_or(simulator_kit::Fault::delivers_whole) {
                grant.access_until = expires_at;
            }
        }
        self.issued += 1;
        self.access_tokens.insert(text, AccessToken { grant, expires_at });
        (body, self.issued)
    }
}

fn unsupported(description: &'static str) -> TokenError {
    TokenError { error: "unsupported_grant_type", description: Some(description) }
}

fn given<'a>(form: &'a Parameters, name: &str, missing: &'static str) -> Result<&'a str, TokenError> {
    form.get(name).filter(|text| !text.is_empty()).ok_or(TokenError::invalid_request(missing))
}

/// Checks a PKCE verifier (RFC 7636, §4.6). One without a challenge before it fits nothing.
fn check_verifier(challenge: Option<&str>, verifier: Option<&str>) -> Result<(), TokenError> {
    let Some(verifier) = verifier.filter(|text| !text.is_empty()) else {
        let required = TokenError::invalid_request("code_verifier required");
        return challenge.map_or(Ok(()), |_| Err(required));
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(allowed) {
        return Err(TokenError::invalid_grant("code_verifier was invalid"));
    }
    let hashed = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    if challenge != Some(hashed.as_str()) {
        return Err(TokenError::invalid_grant("code_verifier was incorrect"));
    }
    Ok(())
}

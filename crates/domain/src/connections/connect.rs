//! Connecting: from the login link to the stored connection.

use std::time::Duration;

use connection_store::{ConsumedState, ExpectedAccount, NewOAuthState, SaveOutcome};
use instagram_client::{AccessToken, AccountType, AuthorizeOptions, InstagramError, Profile};
use jiff::SignedDuration;
use shared::{CallbackAnswer, EventKind, LoginAnswer, SaveConnection, SavedConnection, permission};
use token_vault::HandleClaims;
use uuid::Uuid;

use super::Connections;
use super::pending::PendingConnection;
use crate::error::{Error, Invalid};
use crate::persist;
use crate::secret_token::SecretToken;

/// Time that a person has to consent.
const STATE_LIFE: SignedDuration = SignedDuration::from_mins(10);

/// Time that a client has between exchange and save.
const HANDLE_LIFE: SignedDuration = SignedDuration::from_mins(10);

/// Longest life that a client may claim for a token of its own, in seconds: Instagram's 60 days and a day of grace.
const LONGEST_LIFE: u64 = 61 * 24 * 3600;

/// Options for sending a person to Instagram.
#[derive(Default)]
pub struct AuthorizationRequest {
    /// The web app's path to come back to.
    pub return_to: Option<String>,
    /// Instagram is to ask for a sign-in, whoever is signed in there.
    pub force_reauth: bool,
    /// The account that was connected last is to be connected again, and no other is to take its place unasked.
    pub reconnect: bool,
    /// As `reconnect`, the account of this connection.
    pub connection_id: Option<String>,
}

/// Parameters with which Instagram sent the browser back.
pub enum AuthorizationResponse {
    /// The person agreed.
    Code {
        /// Works once, at the token endpoint.
        code: String,
        /// Names the authorization request.
        state: String,
    },
    /// The person refused, or Instagram did.
    Error {
        /// Instagram's `error_reason`.
        reason: Option<String>,
        /// May be absent.
        state: Option<String>,
    },
}

impl Connections {
    /// Makes the URL to send the person's browser to, with a state that is bound to them.
    ///
    /// # Errors
    /// `not_configured`, `validation_failed` for a `return_to` that could leave the web app, `not_found` for a connection that is
    /// not the user's, `unavailable`.
    pub async fn begin(&self, user_id: &str, login: AuthorizationRequest) -> Result<LoginAnswer, Error> {
        let instagram = self.instagram()?;
        let AuthorizationRequest { return_to, force_reauth, reconnect, connection_id } = login;
        if return_to.as_deref().is_some_and(|path| !shared::validation::is_return_path(path)) {
            return Err(Invalid::ReturnTo.into());
        }
        let present = match connection_id {
            Some(id) => Some(self.stored_one(user_id, &id).await?),
            None if reconnect => self.store.latest_connection(user_id).await?,
            None => None,
        };
        let asks_afresh = force_reauth || reconnect || present.is_some();
        let expected_account = present.map(|connection| ExpectedAccount {
            instagram_user_id: connection.instagram_user_id,
            username: connection.profile.username,
        });
        let state = SecretToken::generate();
        let now = self.clock.now();
        let new = NewOAuthState {
            state_hash: state.hash(),
            user_id: user_id.to_owned(),
            return_to,
            expected_account,
            created_at: now,
            expires_at: now + STATE_LIFE,
        };
        self.store.insert_state(new).await?;
        // A browser that is signed in at Instagram as somebody else would come straight back with that account.
        let options = AuthorizeOptions { force_reauth: asks_afresh };
        let auth_url = String::from(instagram.authorize_url(state.expose(), &permission::ALL, options));
        Ok(LoginAnswer { redirect_to: auth_url.clone(), auth_url })
    }

    /// Uses the state up and turns the code into a sealed handle for this user. Costs two upstream round trips.
    ///
    /// # Errors
    /// `invalid_state`, `access_denied`, and what `Error::from_instagram` makes of Instagram's failures.
    pub async fn exchange(
        &self,
        user_id: &str,
        redirected: AuthorizationResponse,
    ) -> Result<CallbackAnswer, Error> {
        let instagram = self.instagram()?;
        let (code, state) = match redirected {
            AuthorizationResponse::Code { code, state } => (code, state),
            AuthorizationResponse::Error { reason, state } => {
                if let Some(state) = state {
                    // Used up all the same: a refused sign-in must not be finished later. It may well be unknown.
                    self.consume_state(user_id, &state).await?;
                }
                let is_personal = reason.as_deref() == Some("personal_account");
                return Err(if is_personal { Error::PersonalAccount } else { Error::AccessDenied });
            }
        };
        let consumed = self.consume_state(user_id, &state).await?.ok_or(Error::InvalidState)?;
        let failed = |error| Error::provider(error, instagram.redirect_uri());

        let short = instagram.exchange_code(&code).await.map_err(failed)?;
        let issued_at = self.clock.now();
        let (long, profile) = futures_util::future::try_join(
            instagram.exchange_for_long_lived(&short.access_token),
            instagram.profile(&short.access_token),
        )
        .await
        .map_err(failed)?;
        refuse_personal(&profile)?;

        let scopes = short.permissions.or(long.permissions);
        let pending = PendingConnection::new(&long.access_token, issued_at, long.expires_in, profile, scopes);
        let is_other = |expected: &ExpectedAccount| expected.instagram_user_id != pending.user().id;
        let expected_username = consumed.expected_account.filter(is_other).map(|expected| expected.username);
        let expires_at_ms = (self.clock.now() + HANDLE_LIFE).as_millisecond();
        let id = Uuid::new_v4().to_string();
        let claims = HandleClaims { bearer: user_id, id: &id, expires_at_ms };
        Ok(CallbackAnswer {
            access_token: self.vault.seal_handle(&pending, &claims).into(),
            user_id: pending.user().id.clone(),
            expires_in: pending.expires_in(),
            user: pending.user().clone(),
            return_to: consumed.return_to,
            expected_username,
        })
    }

    /// Stores a connection from a sealed handle, or from a raw token after asking Instagram about it.
    ///
    /// # Errors
    /// `validation_failed` when the handle or token is not good or the body contradicts it, `account_in_use`, and
    /// Instagram's failures.
    pub async fn save(&self, user_id: &str, body: &SaveConnection) -> Result<SavedConnection, Error> {
        if !token_vault::is_handle(body.access_token.expose()) {
            let pending = self.look_up(body).await?;
            return self.store_connection(user_id, pending).await;
        }
        let (handle_id, pending) = self.redeem(user_id, body).await?;
        let saved = self.store_connection(user_id, pending).await;
        if saved.as_ref().is_err_and(Error::is_ours) {
            // Nothing was stored, so a client that tries again as it is told must not hear that the handle was used. Where
            // the database is still away this fails, too, and the person starts again.
            let _ = self.store.release_handle(&handle_id).await;
        }
        saved
    }

    async fn store_connection(
        &self,
        user_id: &str,
        pending: PendingConnection,
    ) -> Result<SavedConnection, Error> {
        let new = pending.into_connection(user_id, &self.vault, self.refresh_window);
        let event = self.event(EventKind::Connected, format!("@{} was connected.", new.profile.username));
        let now = self.clock.now();
        match persist(|| self.store.save_connection(new.clone(), event.clone(), now)).await? {
            SaveOutcome::AccountInUse => Err(Error::AccountInUse),
            SaveOutcome::Saved(saved) => Ok(SavedConnection {
                id: saved.id,
                username: saved.profile.username,
                followers: saved.profile.followers_count,
                connected_at: saved.connected_at.into(),
                expires_at: saved.token_expires_at.into(),
            }),
        }
    }

    /// The id and content of a sealed handle, which is used up by this, unless the body contradicts it.
    async fn redeem(
        &self,
        user_id: &str,
        body: &SaveConnection,
    ) -> Result<(String, PendingConnection), Error> {
        let now = self.clock.now();
        let opened = self
            .vault
            .open_handle::<PendingConnection>(body.access_token.expose(), user_id, now.as_millisecond())
            .map_err(|_| Invalid::Handle)?;
        accept(opened.payload.contradictions(body))?;
        // Remembered for as long as the handle could be good, whenever it was made.
        if !self.store.use_handle(&opened.id, now + HANDLE_LIFE).await? {
            return Err(Invalid::Handle.into());
        }
        Ok((opened.id, opened.payload))
    }

    /// Looks up a client's own token at Instagram. Its life is the one thing that Instagram cannot be asked
    /// for, so there the client is believed.
    async fn look_up(&self, body: &SaveConnection) -> Result<PendingConnection, Error> {
        let instagram = self.instagram()?;
        let token = body.access_token.expose();
        if token.is_empty() || token.len() > 2048 || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Invalid::TokenForm.into());
        }
        let life = body
            .expires_in
            .filter(|seconds| (1..=LONGEST_LIFE).contains(seconds))
            .ok_or(Invalid::TokenLife)?;
        let issued_at = self.clock.now();
        let token = AccessToken::from(token.to_owned());
        let profile = instagram.profile(&token).await.map_err(|error| match error {
            InstagramError::NeedsReauthorization { .. } => Invalid::TokenRefused.into(),
            other => Error::provider(other, instagram.redirect_uri()),
        })?;
        refuse_personal(&profile)?;
        // The profile was readable; what else was granted, nobody has said.
        let scopes = Some(vec![permission::BASIC.to_owned()]);
        let pending = PendingConnection::new(&token, issued_at, Duration::from_secs(life), profile, scopes);
        accept(pending.contradictions(body))?;
        Ok(pending)
    }

    /// Consumes a state, and returns what it was made with, if it was good until now.
    async fn consume_state(&self, user_id: &str, state: &str) -> Result<Option<ConsumedState>, Error> {
        let Some(token) = SecretToken::parse(state) else { return Ok(None) };
        Ok(self.store.consume_state(&token.hash(), user_id, self.clock.now()).await?)
    }
}

fn refuse_personal(profile: &Profile) -> Result<(), Error> {
    match profile.account_type {
        Some(AccountType::Personal) => Err(Error::PersonalAccount),
        _ => Ok(()),
    }
}

fn accept(contradictions: Vec<Invalid>) -> Result<(), Error> {
    if contradictions.is_empty() { Ok(()) } else { Err(Error::Invalid(contradictions)) }
}

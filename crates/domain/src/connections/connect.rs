//! Connecting: from the login link to the stored connection.

use std::time::Duration;

use connection_store::{Connection, ConsumedState, ExpectedAccount, NewOAuthState, SaveOutcome, SealedToken};
use jiff::SignedDuration;
use shared::{CallbackAnswer, EventKind, LoginAnswer, SaveConnection, SavedConnection};
use token_vault::{Context, HandleClaims};
use upstream::{AccessToken, CodeVerifier, LimitOf, UpstreamError};
use uuid::Uuid;

use super::pending::PendingConnection;
use super::{ConnectionOf, Connections};
use crate::error::{Error, Invalid};
use crate::persist;
use crate::providers::{Account, Credentials, Grant};
use crate::secret_token::SecretToken;

/// Time that a person has to consent.
const STATE_LIFE: SignedDuration = SignedDuration::from_mins(10);

/// Time that a client has between exchange and save.
const HANDLE_LIFE: SignedDuration = SignedDuration::from_mins(10);

/// Number of attempts to move a connection whose tokens others replace at the same moment.
const MOVE_ATTEMPTS: u32 = 5;

/// Options for sending a person to the provider.
#[derive(Default)]
pub struct AuthorizationRequest {
    /// The web app's path to come back to.
    pub return_to: Option<String>,
    /// The provider is to ask for a sign-in, whoever is signed in there.
    pub force_reauth: bool,
    /// The account in use is to be connected again, and no other is to take its place unasked.
    pub reconnect: bool,
    /// As `reconnect`, the account of this connection.
    pub connection_id: Option<String>,
}

/// Parameters with which the provider sent the browser back.
pub enum AuthorizationResponse {
    /// The person agreed.
    Code {
        /// Works once, at the token endpoint.
        code: String,
        /// Names the authorization request.
        state: String,
    },
    /// The person refused, or the provider did.
    Error {
        /// Instagram's `error_reason`; others give none.
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
        let client = self.client()?;
        let AuthorizationRequest { return_to, force_reauth, reconnect, connection_id } = login;
        if return_to.as_deref().is_some_and(|path| !shared::validation::is_return_path(path)) {
            return Err(Invalid::ReturnTo.into());
        }
        let present = match connection_id {
            Some(id) => Some(self.stored(ConnectionOf { user_id, id: Some(&id) }).await?),
            None if reconnect => self.kept().current_connection(user_id).await?,
            None => None,
        };
        // A browser that is signed in there as somebody else would come straight back with that account.
        let asks_afresh = force_reauth || reconnect || present.is_some();
        let expected_account = present.map(|connection| ExpectedAccount {
            provider_account_id: connection.provider_account_id,
            username: connection.profile.username,
        });
        let state = SecretToken::generate();
        let authorization = client.authorize(state.expose(), asks_afresh);
        let now = self.clock.now();
        let seal = |verifier: CodeVerifier| {
            self.vault.seal(verifier.expose().as_bytes(), &verifier_context(user_id))
        };
        let new = NewOAuthState {
            state_hash: state.hash(),
            provider: self.rules.provider,
            user_id: user_id.to_owned(),
            return_to,
            expected_account,
            sealed_verifier: authorization.verifier.map(seal),
            created_at: now,
            expires_at: now + STATE_LIFE,
        };
        self.store.insert_state(new).await?;
        Ok(LoginAnswer { redirect_to: authorization.url.clone(), auth_url: authorization.url })
    }

    /// Uses the state up and turns the code into a sealed handle for this user. Costs two upstream round trips.
    ///
    /// # Errors
    /// `invalid_state`, `access_denied`, and what `Error::provider` makes of the provider's failures.
    pub async fn exchange(
        &self,
        user_id: &str,
        redirected: AuthorizationResponse,
    ) -> Result<CallbackAnswer, Error> {
        let client = self.client()?;
        let (code, state) = match redirected {
            AuthorizationResponse::Code { code, state } => (code, state),
            AuthorizationResponse::Error { reason, state } => {
                if let Some(state) = state {
                    // Used up all the same: a refused sign-in must not be finished later. It may well be unknown.
                    self.consume_state(user_id, &state).await?;
                }
                let is_personal = reason.as_deref() == Some("personal_account");
                return Err(if is_personal {
                    Error::PersonalAccount
                } else {
                    Error::AccessDenied(self.rules.provider)
                });
            }
        };
        let consumed = self.consume_state(user_id, &state).await?.ok_or(Error::InvalidState)?;
        // Sealed with a key that is gone: as good as a state that is gone.
        let open = |sealed: &String| self.open_verifier(user_id, sealed).ok_or(Error::InvalidState);
        let verifier = consumed.sealed_verifier.as_ref().map(open).transpose()?;
        let failed = |error| Error::provider(self.rules.provider, error, client.redirect_uri());
        let granted = client.exchange(&code, verifier, &*self.clock).await;
        if let Err(UpstreamError::RateLimited { retry_after, of: LimitOf::App }) = granted
            && !self.rules.is_lasting()
        {
            // Going on lengthens it, whoever asks.
            self.pause(retry_after).await;
        }
        let grant = granted.map_err(failed)?;
        refuse_personal(&grant.account)?;

        let mut pending = PendingConnection::new(self.rules, grant, &self.permissions).map_err(failed)?;
        self.recall_lasting_id(&mut pending).await?;
        let is_other = |expected: &ExpectedAccount| !pending.is_of(&expected.provider_account_id);
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

    /// Stores a connection from a sealed handle, or from a raw token after asking the provider about it.
    ///
    /// # Errors
    /// `validation_failed` when the handle or token is not good or the body contradicts it, `account_in_use`, and
    /// the provider's failures.
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
        let new = pending.into_connection(user_id, &self.vault, self.rules, self.refresh_window);
        self.move_to_lasting_id(&new.provider_account_id, new.other_account_id.as_deref()).await?;
        let message = self.rules.changed(&new.profile.username, "connected");
        let event = self.event(EventKind::Connected, message);
        let now = self.clock.now();
        match persist(|| self.kept().save_connection(new.clone(), event.clone(), now)).await? {
            SaveOutcome::AccountInUse => Err(Error::AccountInUse(self.rules.provider)),
            SaveOutcome::Saved(saved) => Ok(SavedConnection {
                id: saved.id,
                username: saved.profile.username,
                followers: saved.profile.followers_count,
                connected_at: saved.connected_at.into(),
                expires_at: saved.expires_at.into(),
            }),
        }
    }

    /// Names the account by the id that never changes where the provider left it out and it is known. Otherwise the account would have
    /// two connections, and two users.
    async fn recall_lasting_id(&self, pending: &mut PendingConnection) -> Result<(), Error> {
        let Some(id) = pending.only_id().filter(|_| self.rules.tells_id_late) else { return Ok(()) };
        let found = self.kept().connections_of_account(id).await?;
        if let Some(known) = found.into_iter().find(|stored| stored.provider_account_id != id) {
            pending.name_account(known.provider_account_id);
        }
        Ok(())
    }

    /// Moves a connection that is kept under the account's other id to the one that never changes, without a new document. An account
    /// that was connected before the provider told that id has one (`spotify-api.md` §5).
    pub(super) async fn move_to_lasting_id(&self, id: &str, other_id: Option<&str>) -> Result<(), Error> {
        let Some(other_id) = other_id.filter(|&other_id| self.rules.tells_id_late && other_id != id) else {
            return Ok(());
        };
        for _ in 0..MOVE_ATTEMPTS {
            let found = self.kept().connections_of_account(other_id).await?;
            let is_kept_so =
                |stored: &&Connection| stored.is_active && stored.provider_account_id == other_id;
            let Some(old) = found.iter().find(is_kept_so) else { return Ok(()) };
            // Where neither token opens, both are left to whoever has the key.
            let Some(Credentials { access, refresh }) = self.open(old) else { return Ok(()) };
            let sealed = self.seal(id, access.as_ref(), refresh.as_ref());
            let tokens = |account_id: &str, access_token, refresh_token| SealedToken {
                connection_id: old.id.clone(),
                provider_account_id: account_id.to_owned(),
                access_token,
                refresh_token,
            };
            let before = tokens(other_id, old.access_token.clone(), old.refresh_token.clone());
            let after = tokens(id, sealed.access_token, sealed.refresh_token);
            // Where its tokens were replaced meanwhile, it is moved with the new ones.
            if self.kept().reseal(&before, &after).await? {
                return Ok(());
            }
        }
        Err(Error::Internal("a connection's tokens were replaced again and again"))
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
        if opened.payload.provider() != self.rules.provider {
            return Err(Invalid::Handle.into());
        }
        accept(opened.payload.contradictions(body))?;
        // Remembered for as long as the handle could be good, whenever it was made.
        if !self.store.use_handle(&opened.id, now + HANDLE_LIFE).await? {
            return Err(Invalid::Handle.into());
        }
        Ok((opened.id, opened.payload))
    }

    /// Looks up a client's own token at the provider. Its life is the one thing that the provider cannot be asked
    /// for, so there the client is believed.
    async fn look_up(&self, body: &SaveConnection) -> Result<PendingConnection, Error> {
        let longest_life = self.rules.longest_raw_life.ok_or(Invalid::Handle)?;
        let client = self.client()?;
        let token = body.access_token.expose();
        if token.is_empty() || token.len() > 2048 || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Invalid::TokenForm.into());
        }
        let life = body
            .expires_in
            .filter(|seconds| (1..=longest_life).contains(seconds))
            .ok_or(Invalid::TokenLife)?;
        let issued_at = self.clock.now();
        let token = AccessToken::from(token.to_owned());
        let failed = |error| Error::provider(self.rules.provider, error, client.redirect_uri());
        let account = client.account(&token).await.map_err(|error| match error {
            UpstreamError::NeedsReauthorization { .. } => Invalid::TokenRefused.into(),
            other => failed(other),
        })?;
        refuse_personal(&account)?;
        let grant = Grant {
            credentials: Credentials { access: Some(token), refresh: None },
            issued_at,
            expires_in: Duration::from_secs(life),
            account,
            // The profile was readable; what else was granted, nobody has said.
            scopes: Some(self.rules.basic.map(str::to_owned).into_iter().collect()),
        };
        let pending = PendingConnection::new(self.rules, grant, &self.permissions).map_err(failed)?;
        accept(pending.contradictions(body))?;
        Ok(pending)
    }

    /// Consumes a state, and returns what it was made with, if it was good until now.
    async fn consume_state(&self, user_id: &str, state: &str) -> Result<Option<ConsumedState>, Error> {
        let Some(token) = SecretToken::parse(state) else { return Ok(None) };
        let (hash, provider) = (token.hash(), self.rules.provider);
        Ok(self.store.consume_state(&hash, provider, user_id, self.clock.now()).await?)
    }

    fn open_verifier(&self, user_id: &str, sealed: &str) -> Option<CodeVerifier> {
        let opened = self.vault.open(sealed, &verifier_context(user_id)).ok()?;
        std::str::from_utf8(&opened).ok().map(|text| CodeVerifier::from(text.to_owned()))
    }
}

/// Returns the context that a verifier is sealed for while its person is at the provider.
fn verifier_context(user_id: &str) -> Context<'_> {
    Context { purpose: "codeVerifier", subject: user_id }
}

fn refuse_personal(account: &Account) -> Result<(), Error> {
    if account.is_personal { Err(Error::PersonalAccount) } else { Ok(()) }
}

fn accept(contradictions: Vec<Invalid>) -> Result<(), Error> {
    if contradictions.is_empty() { Ok(()) } else { Err(Error::Invalid(contradictions)) }
}

//! Handing a provider's own access token to a program.

use connection_store::Connection;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use shared::{EventKind, Provider, Sensitive, TokenAnswer};
use upstream::AccessToken;

use super::refresh::AskedBy;
use super::{ConnectionOf, Connections};
use crate::error::Error;

/// Number of attempts to read a token that others replace at the same moment.
const READ_ATTEMPTS: u32 = 5;

/// The API key that a program showed; not the key itself.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// Names the key in the log.
    pub key_id: &'a str,
    /// The key's name, as its owner gave it.
    pub key_name: &'a str,
}

impl Connections {
    /// Gives the access token of one of the user's connections. Where little of its life is left, it is
    /// refreshed first: always one that lives for an hour, another where `may_refresh` says so. That it was
    /// given, and to which key, is stored as an event before it is given, once a minute at most: where that
    /// cannot be done, nothing is given.
    ///
    /// # Errors
    /// `not_connected`; `needs_reauthorization` when the provider no longer accepts the token; `unavailable`.
    pub async fn give_token(
        &self,
        which: ConnectionOf<'_>,
        to: Program<'_>,
        may_refresh: impl AsyncFnOnce() -> bool,
    ) -> Result<TokenAnswer, Error> {
        let mut usable = self.usable(which).await?;
        let has_to = !self.rules.is_lasting();
        if (usable.1.access.is_none() || self.ends_soon(&usable.0)) && (has_to || may_refresh().await) {
            match self.refresh(which, AskedBy::Program).await {
                Err(error) if self.is_over(&usable.0) => return Err(error),
                // The token is still good.
                Err(error) => error.log(),
                Ok(_) => {}
            }
            usable = self.usable(which).await?;
        }
        for _ in 0..READ_ATTEMPTS {
            let (stored, credentials) = usable;
            let now = self.clock.now();
            let Some(token) = credentials.access.filter(|_| !self.is_over(&stored)) else {
                return Err(Error::BeingRefreshed);
            };
            let message = self.rules.token_given(to.key_name);
            let (id, sealed) = (&stored.id, &stored.access_token);
            let mut event = self.event(EventKind::TokenRead, message);
            event.id = event_id(id, to.key_id, now);
            if self.kept().record_event(id, sealed, event, now).await? {
                tracing::info!(key = to.key_id, connection = stored.id, "a token was given");
                return Ok(answer(stored, &token));
            }
            usable = self.usable(which).await?;
        }
        Err(Error::Internal("a token was replaced again and again"))
    }

    /// Tells whether little of a token's life is left, and the provider already refreshes it.
    fn ends_soon(&self, stored: &Connection) -> bool {
        let now = self.clock.now();
        stored.token_expires_at.duration_since(now) <= self.rules.margin.unwrap_or(self.rules.expiring)
            && now.duration_since(stored.token_issued_at) >= self.rules.youngest
    }

    /// Tells whether an access token has expired.
    fn is_over(&self, stored: &Connection) -> bool {
        stored.token_expires_at <= self.clock.now()
    }
}

/// Names the event of a connection, a key and a minute. The store keeps an event of one name once.
fn event_id(connection_id: &str, key_id: &str, now: Timestamp) -> String {
    let minute = now.as_second().div_euclid(60);
    let hash = Sha256::digest(format!("{connection_id} {key_id} {minute}"));
    hash[..16].iter().fold("evt_".to_owned(), |name, byte| format!("{name}{byte:02x}"))
}

fn answer(stored: Connection, token: &AccessToken) -> TokenAnswer {
    let id_of = |provider| (stored.provider == provider).then(|| stored.provider_account_id.clone());
    TokenAnswer {
        access_token: Sensitive::from(token.expose().to_owned()),
        token_type: "bearer".to_owned(),
        expires_at: stored.token_expires_at.into(),
        instagram_user_id: id_of(Provider::Instagram),
        spotify_user_id: id_of(Provider::Spotify),
        scopes: stored.scopes,
    }
}

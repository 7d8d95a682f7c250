//! Handing Instagram's own token to a program.

use connection_store::Connection;
use instagram_client::AccessToken;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use shared::{EventKind, Sensitive, TokenAnswer};

use super::Connections;
use super::refresh::AskedBy;
use super::view::REFRESH_WINDOW;
use crate::error::Error;
use crate::providers::instagram;

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
    /// The token of the user's connection, refreshed first where little of its life is left and `may_refresh` lets it be asked for.
    /// That it was given, and to which key, is stored as an event before it is given, once a minute at most: where that
    /// cannot be done, nothing is given.
    ///
    /// # Errors
    /// `not_connected`; `needs_reauthorization` when Instagram no longer accepts the token; `unavailable`.
    pub async fn give_token(
        &self,
        user_id: &str,
        to: Program<'_>,
        may_refresh: impl AsyncFnOnce() -> bool,
    ) -> Result<TokenAnswer, Error> {
        let mut usable = self.usable(user_id).await?;
        if self.ends_soon(&usable.0) && may_refresh().await {
            // The token is still good if that fails.
            if let Err(error) = self.refresh(user_id, AskedBy::Program).await {
                error.log();
            }
            usable = self.usable(user_id).await?;
        }
        for _ in 0..READ_ATTEMPTS {
            let (stored, token) = usable;
            let message = instagram::token_given(to.key_name);
            let (id, sealed, now) = (&stored.id, &stored.access_token, self.clock.now());
            let mut event = self.event(EventKind::TokenRead, message);
            event.id = event_id(id, to.key_id, now);
            if self.store.record_event(id, sealed, event, now).await? {
                tracing::info!(key = to.key_id, connection = stored.id, "a token was given");
                return Ok(answer(stored, &token));
            }
            usable = self.usable(user_id).await?;
        }
        Err(Error::Internal("a token was replaced again and again"))
    }

    /// Tells whether little of a token's life is left, and Instagram already refreshes it.
    fn ends_soon(&self, stored: &Connection) -> bool {
        let now = self.clock.now();
        stored.token_expires_at.duration_since(now) <= REFRESH_WINDOW
            && now.duration_since(stored.token_issued_at) >= instagram::YOUNGEST
    }
}

/// Names the event of a connection, a key and a minute. The store keeps an event of one name once.
fn event_id(connection_id: &str, key_id: &str, now: Timestamp) -> String {
    let minute = now.as_second().div_euclid(60);
    let hash = Sha256::digest(format!("{connection_id} {key_id} {minute}"));
    hash[..16].iter().fold("evt_".to_owned(), |name, byte| format!("{name}{byte:02x}"))
}

fn answer(stored: Connection, token: &AccessToken) -> TokenAnswer {
    TokenAnswer {
        access_token: Sensitive::from(token.expose().to_owned()),
        token_type: "bearer".to_owned(),
        expires_at: stored.token_expires_at.into(),
        instagram_user_id: stored.instagram_user_id,
        scopes: stored.scopes,
    }
}

//! Sealed handles: a secret that passes through hands that must not read it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::secret_buffer::SecretBuffer;
use crate::vault::{Context, OpenError, Vault};

/// Prefix of every handle, by which it can be told from a raw token (`service-api.md` §3).
const PREFIX: &str = "sealed.";

/// The purpose of every handle. Callers' purposes are names of stored fields, so it meets none of them.
const PURPOSE: &str = "token_vault.handle";

/// Names the bearer of a handle, and limits how long it can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandleClaims<'a> {
    /// The only caller for whom it opens: the id of the user who asked for it.
    pub bearer: &'a str,
    /// A unique id. Whoever opens the handle remembers it, if the handle is to be good for one use.
    pub id: &'a str,
    /// Time from which it no longer opens, in milliseconds since 1970 UTC.
    pub expires_at_ms: i64,
}

/// An opened handle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedHandle<T> {
    /// The unique id it was sealed with.
    pub id: String,
    /// Time from which it no longer opens, in milliseconds since 1970 UTC: until then its id must be
    /// remembered.
    pub expires_at_ms: i64,
    /// The secret.
    pub payload: T,
}

/// The content that is encrypted. The bearer is not in it, but in the associated data.
#[derive(Serialize, Deserialize)]
struct Content<Id, Payload> {
    id: Id,
    #[serde(rename = "expiresAtMs")]
    expires_at_ms: i64,
    payload: Payload,
}

/// Tells whether `text` claims to be a handle. Does not check that it opens.
#[must_use]
pub fn is_handle(text: &str) -> bool {
    text.starts_with(PREFIX)
}

impl Vault {
    /// Seals `payload` into a handle, `sealed.v1.…`, that opens for `claims.bearer` until `claims.expires_at_ms`.
    ///
    /// # Panics
    /// When `payload` cannot be written as JSON (a map whose keys are not text), or when the operating system has no
    /// randomness to give.
    #[must_use]
    pub fn seal_handle<T: Serialize>(&self, payload: &T, claims: &HandleClaims<'_>) -> String {
        let content = Content { id: claims.id, expires_at_ms: claims.expires_at_ms, payload };
        let mut json = SecretBuffer::default();
        serde_json::to_writer(&mut json, &content)
            .expect("the buffer takes any write, and payloads are plain structs");
        let sealed = self.seal(json.as_slice(), &handle_context(claims.bearer));
        format!("{PREFIX}{sealed}")
    }

    /// Opens what [`Vault::seal_handle`] made, for the caller `bearer` at the time `now_ms` (milliseconds since 1970 UTC).
    ///
    /// # Errors
    /// [`OpenError::Refused`] for another bearer, [`OpenError::Expired`] from `expires_at_ms` on, and those of
    /// [`Vault::open`].
    pub fn open_handle<T: DeserializeOwned>(
        &self,
        handle: &str,
        bearer: &str,
        now_ms: i64,
    ) -> Result<OpenedHandle<T>, OpenError> {
        let sealed = handle.strip_prefix(PREFIX).ok_or(OpenError::Malformed)?;
        let json = self.open(sealed, &handle_context(bearer))?;
        let content: Content<String, T> = serde_json::from_slice(&json).map_err(|_| OpenError::Malformed)?;
        if now_ms >= content.expires_at_ms {
            return Err(OpenError::Expired);
        }
        Ok(OpenedHandle { id: content.id, expires_at_ms: content.expires_at_ms, payload: content.payload })
    }
}

fn handle_context(bearer: &str) -> Context<'_> {
    Context { purpose: PURPOSE, subject: bearer }
}

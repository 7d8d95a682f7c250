//! Sealing and opening.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::aead;
use crate::keyring::Keyring;

/// The version of the format, the first part of every sealed text.
const VERSION: &str = "v1";

/// The place that a secret belongs to. Only the same purpose and subject open what was sealed with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context<'a> {
    /// The kind of secret: by convention the collection and the field, such as `accessToken`.
    pub purpose: &'a str,
    /// The secret's subject: an id that never changes, such as the `instagramUserId`.
    pub subject: &'a str,
}

impl Context<'_> {
    /// The associated data. Each part has its length in front, so that no two contexts give the same bytes.
    fn associated_data(&self, key_id: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in [VERSION, key_id, self.purpose, self.subject] {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

/// Seals secrets with the first key of a [`Keyring`] and opens them with any.
#[derive(Debug)]
pub struct Vault {
    keyring: Keyring,
}

impl Vault {
    /// A vault over these keys.
    #[must_use]
    pub fn new(keyring: Keyring) -> Self {
        Self { keyring }
    }

    /// Encrypts `plaintext` so that only the same `context` opens it. Two calls never give the same text.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    #[must_use]
    pub fn seal(&self, plaintext: &[u8], context: &Context<'_>) -> String {
        let key_id = self.keyring.current_id();
        let message =
            aead::encrypt(&self.keyring.current_cipher(), &context.associated_data(key_id), plaintext);
        format!("{VERSION}.{key_id}.{}", URL_SAFE_NO_PAD.encode(message))
    }

    /// Decrypts what [`Vault::seal`] made. The plaintext is overwritten with zeros when it is dropped.
    ///
    /// # Errors
    /// [`OpenError::Malformed`], [`OpenError::UnknownKey`] or [`OpenError::Refused`].
    pub fn open(&self, sealed: &str, context: &Context<'_>) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let mut parts = sealed.split('.');
        let (Some(VERSION), Some(key_id), Some(message), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(OpenError::Malformed);
        };
        // Strict: no padding, no stray bits at the end.
        let message = URL_SAFE_NO_PAD.decode(message).map_err(|_| OpenError::Malformed)?;
        let cipher = self.keyring.cipher(key_id).ok_or(OpenError::UnknownKey)?;
        aead::decrypt(&cipher, &context.associated_data(key_id), &message).ok_or(OpenError::Refused)
    }

    /// Opens what [`Vault::seal`] made and seals it again, with the key that seals now. The plaintext is never handed out.
    ///
    /// # Errors
    /// Those of [`Vault::open`].
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    pub fn reencrypt(&self, sealed: &str, context: &Context<'_>) -> Result<String, OpenError> {
        Ok(self.seal(&self.open(sealed, context)?, context))
    }

    /// The ids of all keys that open.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.keyring.key_ids()
    }

    /// The ids of the keys that open and no longer seal: what is sealed with them should be sealed again.
    pub fn old_key_ids(&self) -> impl Iterator<Item = &str> {
        self.keyring.key_ids().skip(1)
    }

    /// Tells whether `sealed` was sealed with the key that seals now. Any other text should be re-encrypted
    /// before its key leaves the keyring. Does not check that it opens.
    #[must_use]
    pub fn is_current(&self, sealed: &str) -> bool {
        let mut parts = sealed.split('.');
        parts.next() == Some(VERSION) && parts.next() == Some(self.keyring.current_id())
    }
}

/// Reasons why a sealed text did not open. Says nothing about its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is not a sealed text, or, for a handle, not one with this kind of payload.
    #[error("not a sealed text")]
    Malformed,
    /// It was sealed with a key that is not in the keyring.
    #[error("sealed with a key that is not in the keyring")]
    UnknownKey,
    /// It was changed, or sealed for another context or bearer, or with another key of the same id.
    #[error("changed, or sealed for another context")]
    Refused,
    /// A handle whose time is over.
    #[error("expired")]
    Expired,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_that_read_alike_have_different_associated_data() {
        let data = |purpose, subject| Context { purpose, subject }.associated_data("k");
        assert_ne!(data("ab", "c"), data("a", "bc"));
        assert_ne!(data("", "abc"), data("abc", ""));
        assert_ne!(Context { purpose: "a", subject: "" }.associated_data("k"), data("", "a"));
    }
}

//! Random values that prove something: session tokens and OAuth states.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connection_store::SecretHash;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// 256 random bits as 43 characters of base64url. The store keeps the hash alone.
pub struct SecretToken(SecretString);

/// Length of the text form: 32 bytes in base64 without padding.
const TEXT_LENGTH: usize = 43;

impl SecretToken {
    /// A fresh one from the operating system's generator.
    pub fn generate() -> Self {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).expect("an operating system without random numbers cannot serve anybody");
        Self(URL_SAFE_NO_PAD.encode(bytes).into())
    }

    /// One that came in from outside; `None` when it cannot be ours.
    pub fn parse(text: &str) -> Option<Self> {
        let ours = text.len() == TEXT_LENGTH
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        ours.then(|| Self(text.into()))
    }

    /// Returns the hash by which the store knows it. A plain SHA-256 is enough: nobody can search 256 random
    /// bits.
    pub fn hash(&self) -> SecretHash {
        Sha256::digest(self.0.expose_secret().as_bytes()).into()
    }

    /// The text, for the one place it is meant for.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_trip_and_differs_from_the_next() {
        let token = SecretToken::generate();
        let back = SecretToken::parse(token.expose()).unwrap();
        assert_eq!(token.hash(), back.hash());
        assert_ne!(token.hash(), SecretToken::generate().hash());
    }

    #[test]
    fn rubbish_is_not_a_token() {
        for text in ["", "short", &"a".repeat(44), &"ä".repeat(22), &format!("{}\0", "a".repeat(42))] {
            assert!(SecretToken::parse(text).is_none(), "{text:?}");
        }
    }
}

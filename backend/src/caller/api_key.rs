//! API keys: their text (`igc_live_`, 43 characters of chance, 6 of checksum), what is stored of one, what is shown.

use connection_store::{ApiKey, NewApiKey, SecretHash};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use shared::Scope;
use uuid::Uuid;

/// By this people and secret scanners know one of our keys.
const PREFIX: &str = "igc_live_";

/// 256 bits in base 62.
const SECRET_LENGTH: usize = 43;

/// A CRC-32 in base 62.
const CHECKSUM_LENGTH: usize = 6;

/// Characters of the secret part that a hint shows. What is left is more than 230 bits.
const HINT_LENGTH: usize = 4;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// On which terms a key is made.
pub(crate) struct KeyTerms {
    /// Stored id of the user for whom it acts; `None`: a service key.
    pub(crate) user_id: Option<String>,
    /// Name that the owner gave the key.
    pub(crate) name: String,
    /// Scopes that the key has.
    pub(crate) scopes: Vec<Scope>,
    /// Time at which the key expires; `None`: never.
    pub(crate) expires_at: Option<Timestamp>,
}

/// A stored key as its owner sees it.
pub(crate) fn view(stored: ApiKey) -> shared::ApiKey {
    shared::ApiKey {
        id: stored.id,
        name: stored.name,
        scopes: stored.scopes.iter().filter_map(|scope| Scope::from_name(scope)).collect(),
        hint: stored.hint,
        created_at: stored.created_at.into(),
        expires_at: stored.expires_at.map(Into::into),
        last_used_at: stored.last_used_at.map(Into::into),
    }
}

/// A key as its holder has it. `Debug` shows nothing of it.
///
/// The checksum is the CRC-32 (ISO-HDLC) of everything before it, in base 62 like the secret: `0-9A-Za-z`, the most
/// significant digit first. It proves nothing; it lets a scanner tell a key from text that looks like one, and a typing
/// error be refused without asking the database.
#[derive(Clone, Debug)]
pub(crate) struct ApiKeyText(SecretString);

impl ApiKeyText {
    /// A fresh one from the operating system's generator.
    pub(crate) fn generate() -> Self {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).expect("an operating system without random numbers cannot serve anybody");
        let mut text = format!("{PREFIX}{}", base62::<SECRET_LENGTH>(&mut bytes));
        text.push_str(&checksum(&text));
        Self(text.into())
    }

    /// One that came in from outside; `None` when length, alphabet or checksum say that it is none of ours.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        if digits.len() != SECRET_LENGTH + CHECKSUM_LENGTH
            || !digits.bytes().all(|b| b.is_ascii_alphanumeric())
        {
            return None;
        }
        // In bounds, and at a boundary: all of it is ASCII.
        let (checked, sum) = text.split_at(text.len() - CHECKSUM_LENGTH);
        (checksum(checked) == sum).then(|| Self(text.into()))
    }

    /// Returns the hash by which the store knows and finds the key. A plain SHA-256 is enough: nobody can
    /// search 256 random bits. The key that was found is compared in constant time. The time that the index
    /// took may tell how much of the *hash* agrees with a stored one, but an attacker cannot steer the hash
    /// of a guess, and a hash, even a whole one, leads back to no key.
    pub(crate) fn hash(&self) -> SecretHash {
        Sha256::digest(self.0.expose_secret().as_bytes()).into()
    }

    /// Its beginning, by which its owner knows it again.
    pub(crate) fn hint(&self) -> String {
        self.0.expose_secret().chars().take(PREFIX.len() + HINT_LENGTH).collect()
    }

    /// Returns the record to store for this key.
    pub(crate) fn to_stored(&self, terms: KeyTerms, created_at: Timestamp) -> NewApiKey {
        NewApiKey {
            id: format!("key_{}", Uuid::new_v4().simple()),
            key_hash: self.hash(),
            user_id: terms.user_id,
            name: terms.name,
            scopes: terms.scopes.into_iter().map(|scope| scope.as_str().to_owned()).collect(),
            hint: self.hint(),
            created_at,
            expires_at: terms.expires_at,
            password_hash: None,
            session: None,
        }
    }

    /// The text, for the one place it is meant for.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

fn checksum(text: &str) -> String {
    base62::<CHECKSUM_LENGTH>(&mut crc32fast::hash(text.as_bytes()).to_be_bytes())
}

/// A big-endian number as `DIGITS` digits of base 62, which have to be enough for it. Leaves zeros where the number was.
fn base62<const DIGITS: usize>(number: &mut [u8]) -> String {
    let mut digits = [0_u8; DIGITS];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u32;
        for byte in number.iter_mut() {
            let value = remainder << 8 | u32::from(*byte);
            // Below 256, since the remainder is below 62.
            *byte = (value / 62) as u8;
            remainder = value % 62;
        }
        *digit = ALPHABET[remainder as usize];
    }
    digits.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_trip_and_differs_from_the_next() {
        for _ in 0..100 {
            let key = ApiKeyText::generate();
            assert_eq!(key.expose().len(), 58);
            assert_eq!(ApiKeyText::parse(key.expose()).unwrap().hash(), key.hash());
            assert_ne!(key.hash(), ApiKeyText::generate().hash());
            assert_eq!(key.hint(), key.expose()[..13]);
        }
    }

    #[test]
    fn the_form_never_changes() {
        let mut largest = [0xff; 32];
        assert_eq!(base62::<SECRET_LENGTH>(&mut largest), "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
        let text = format!("{PREFIX}{}", "0".repeat(SECRET_LENGTH));
        assert_eq!(checksum(&text), "39CYk9");
    }

    #[test]
    fn every_slip_is_noticed() {
        let key = ApiKeyText::generate();
        let text = key.expose();
        for at in 0..text.len() {
            let other = if text.as_bytes()[at] == b'a' { "b" } else { "a" };
            let mut slipped = text.to_owned();
            slipped.replace_range(at..=at, other);
            assert!(ApiKeyText::parse(&slipped).is_none(), "{at}");
        }
        let swapped = format!("{}{}", &text[..57], "ä");
        let rubbish = [
            "",
            PREFIX,
            &text[..57],
            &format!("{text}0"),
            &format!(" {text}"),
            &text.to_uppercase(),
            &swapped,
        ];
        for wrong in rubbish {
            assert!(ApiKeyText::parse(wrong).is_none());
        }
    }

    #[test]
    fn debug_shows_nothing() {
        let key = ApiKeyText::generate();
        assert!(!format!("{key:?}").contains("igc_live_"));
    }
}

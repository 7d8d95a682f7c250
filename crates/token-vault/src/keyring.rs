//! The keys that open, and the one of them that seals.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chacha20poly1305::aead::Generate;
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305};
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a key.
const KEY_LEN: usize = 32;
/// Longest key id, in bytes.
const MAX_ID_LEN: usize = 32;

/// Standard base64. People's tools differ on padding, so it is written and not required.
const KEY_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The keys that seal and open secrets, newest first: the first seals, all of them open.
///
/// The key bytes are overwritten with zeros when it is dropped, and `Debug` shows the ids only.
pub struct Keyring {
    /// Never empty: [`Keyring::parse`] is the only way to make one.
    entries: Vec<Entry>,
}

struct Entry {
    id: String,
    /// On the heap, so that moving the keyring copies a pointer and not the key.
    key: Box<Zeroizing<[u8; KEY_LEN]>>,
}

impl Entry {
    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&**self.key).into())
    }
}

impl Keyring {
    /// Reads `id:base64-of-32-bytes,…`, the first being the one that seals. This is the value of
    /// `TOKEN_ENCRYPTION_KEYS` (`service-api.md` §7). Ids are 1 to 32 of `A-Z a-z 0-9 _ -`, each used once. Base64 is the
    /// standard one, with or without padding. Blanks around an entry are ignored.
    ///
    /// # Errors
    /// The first entry that is wrong, by position and, where it is known, id. Never the key.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        if text.trim().is_empty() {
            return Err(KeyringError::Empty);
        }
        let mut entries: Vec<Entry> = Vec::new();
        for (index, text) in text.split(',').enumerate() {
            let position = index + 1;
            let (id, key) = text.trim().split_once(':').ok_or(KeyringError::NoSeparator { position })?;
            if !is_key_id(id) {
                // Not repeated: someone who swaps the two halves puts the key where the id belongs.
                return Err(KeyringError::InvalidId { position });
            }
            if entries.iter().any(|entry| entry.id == id) {
                return Err(KeyringError::DuplicateId { position, id: id.to_owned() });
            }
            let key =
                decode_key(key).ok_or_else(|| KeyringError::InvalidKey { position, id: id.to_owned() })?;
            entries.push(Entry { id: id.to_owned(), key });
        }
        Ok(Self { entries })
    }

    /// Makes a new random key and gives it as an entry, `id:base64`, ready for [`Keyring::parse`].
    ///
    /// # Errors
    /// [`KeyringError::InvalidId`] when `id` is not 1 to 32 of `A-Z a-z 0-9 _ -`.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    pub fn generate(id: &str) -> Result<Zeroizing<String>, KeyringError> {
        if !is_key_id(id) {
            return Err(KeyringError::InvalidId { position: 1 });
        }
        let mut key = Key::generate();
        // Large enough from the start: growing would leave a part of the key in freed memory.
        let mut entry = Zeroizing::new(String::with_capacity(id.len() + 1 + 2 * KEY_LEN));
        entry.push_str(id);
        entry.push(':');
        KEY_BASE64.encode_string(key, &mut entry);
        key.zeroize();
        Ok(entry)
    }

    /// The ids of the keys, the one that seals first.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.id.as_str())
    }

    /// The id of the key that seals.
    pub(crate) fn current_id(&self) -> &str {
        &self.entries[0].id
    }

    /// The key of that id, ready to use, or `None` when there is none.
    pub(crate) fn cipher(&self, id: &str) -> Option<XChaCha20Poly1305> {
        self.entries.iter().find(|entry| entry.id == id).map(Entry::cipher)
    }

    /// The key that seals, ready to use.
    pub(crate) fn current_cipher(&self) -> XChaCha20Poly1305 {
        self.entries[0].cipher()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.key_ids()).finish()
    }
}

/// Reasons to refuse a keyring's text. Names the entry by position (from 1) and id; never holds any part of a
/// key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is no entry at all.
    #[error("no keys given; expected `id:base64-of-32-bytes`, several separated by commas")]
    Empty,
    /// An entry has no `:`, or is empty.
    #[error("entry {position} has no `:`; expected `id:base64-of-32-bytes`")]
    NoSeparator {
        /// The entry's position, from 1.
        position: usize,
    },
    /// An id is empty, too long, or has other characters.
    #[error(
        "entry {position} has an invalid id; expected 1 to 32 letters, digits, `_` or `-` before the `:`"
    )]
    InvalidId {
        /// The entry's position, from 1.
        position: usize,
    },
    /// An id stands twice.
    #[error("entry {position} repeats the id `{id}`; every id must be unique")]
    DuplicateId {
        /// The entry's position, from 1.
        position: usize,
        /// The id that stands twice.
        id: String,
    },
    /// A key is not base64, or not 32 bytes long.
    #[error("entry {position} (`{id}`) has an invalid key; expected standard base64 of exactly 32 bytes")]
    InvalidKey {
        /// The entry's position, from 1.
        position: usize,
        /// The id of that entry.
        id: String,
    },
}

fn is_key_id(text: &str) -> bool {
    (1..=MAX_ID_LEN).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn decode_key(text: &str) -> Option<Box<Zeroizing<[u8; KEY_LEN]>>> {
    let decoded = Zeroizing::new(KEY_BASE64.decode(text).ok()?);
    let mut key = Box::new(Zeroizing::new([0; KEY_LEN]));
    if decoded.len() != KEY_LEN {
        return None;
    }
    key.copy_from_slice(&decoded);
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::ZeroizeOnDrop;

    const A: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const B: &str = "//////////////////////////////////////////8";

    #[test]
    fn reads_entries_in_order_with_and_without_padding() {
        let keyring = Keyring::parse(&format!("new_1:{A}, old-2:{B}")).unwrap();
        assert_eq!(keyring.key_ids().collect::<Vec<_>>(), ["new_1", "old-2"]);
        assert_eq!(keyring.current_id(), "new_1");
        assert_eq!(**keyring.entries[1].key, [0xff; KEY_LEN]);
    }

    #[test]
    fn refuses_what_is_wrong_and_says_which_entry() {
        let invalid_key = |position, id: &str| KeyringError::InvalidKey { position, id: id.to_owned() };
        let cases = [
            (String::new(), KeyringError::Empty),
            ("  ".to_owned(), KeyringError::Empty),
            (A.to_owned(), KeyringError::NoSeparator { position: 1 }),
            (format!("a:{A},"), KeyringError::NoSeparator { position: 2 }),
            (format!(":{A}"), KeyringError::InvalidId { position: 1 }),
            (format!("a.b:{A}"), KeyringError::InvalidId { position: 1 }),
            (format!("{}:{A}", "x".repeat(33)), KeyringError::InvalidId { position: 1 }),
            (format!("{A}:a"), KeyringError::InvalidId { position: 1 }),
            (format!("a:{A},a:{B}"), KeyringError::DuplicateId { position: 2, id: "a".to_owned() }),
            ("a:".to_owned(), invalid_key(1, "a")),
            (format!("a:{A},b:AAAA"), invalid_key(2, "b")),
            (format!("a:{A}{A}"), invalid_key(1, "a")),
            (format!("a:{}", B.replace('/', "_")), invalid_key(1, "a")),
            (format!("a:{}9", &B[..B.len() - 1]), invalid_key(1, "a")),
        ];
        for (text, expected) in cases {
            assert_eq!(Keyring::parse(&text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn no_error_and_no_debug_shows_a_key() {
        let mixed_up = format!("{B}:a");
        for text in [mixed_up.as_str(), &format!("a:{B}x"), B] {
            let error = Keyring::parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("////"), "{error:?}");
        }
        assert_eq!(format!("{:?}", Keyring::parse(&format!("a:{B}")).unwrap()), r#"["a"]"#);
    }

    #[test]
    fn generates_entries_that_parse_and_differ() {
        let (first, second) = (Keyring::generate("k1").unwrap(), Keyring::generate("k1").unwrap());
        assert_ne!(first, second);
        assert_eq!(Keyring::parse(&first).unwrap().key_ids().collect::<Vec<_>>(), ["k1"]);
        assert_eq!(Keyring::generate("no spaces").unwrap_err(), KeyringError::InvalidId { position: 1 });
    }

    #[test]
    fn keys_are_zeroed_on_drop() {
        fn is_zeroed_on_drop<T: ZeroizeOnDrop>(_: &T) {}
        let keyring = Keyring::parse(&format!("a:{A}")).unwrap();
        is_zeroed_on_drop(&*keyring.entries[0].key);
        // Holds only with the cipher's feature `zeroize`.
        is_zeroed_on_drop(&keyring.current_cipher());
    }
}

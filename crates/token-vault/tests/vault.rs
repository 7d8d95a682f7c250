//! Promises of a vault: a sealed text opens, in its context, as long as its key is there; nothing else does.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use proptest::collection::vec;
use proptest::prelude::*;
use token_vault::{Context, Keyring, OpenError, Vault};

const CONTEXT: Context<'_> =
    Context { purpose: "instagram_connections.accessToken", subject: "17841400000000000" };

fn vault(keys: &str) -> Vault {
    Vault::new(Keyring::parse(keys).unwrap())
}

fn new_key(id: &str) -> String {
    Keyring::generate(id).unwrap().to_string()
}

/// Made by libsodium's `crypto_aead_xchacha20poly1305_ietf_encrypt` with the associated data put together by hand. If this
/// test fails, the format changed, and what is stored no longer opens.
#[test]
fn opens_what_another_implementation_sealed() {
    let vault = vault("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    let sealed = "v1.k1.ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7NTS48dJL8ePqQPFaixvSoj7VjyFNWBxDm0Nd5fSSlydMPA";
    assert_eq!(*vault.open(sealed, &CONTEXT).unwrap(), b"IGAA-example-token");
}

#[test]
fn the_sealed_text_has_the_promised_form() {
    let sealed = vault(&new_key("k-1_a")).seal(b"IGAA", &CONTEXT);
    let message = sealed.strip_prefix("v1.k-1_a.").unwrap();
    // 24 bytes of nonce, 4 of ciphertext, 16 of tag: 44 bytes in 59 characters.
    assert_eq!(message.len(), 59);
    assert!(message.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
}

#[test]
fn a_text_moved_to_another_record_or_field_is_refused() {
    let vault = vault(&new_key("k1"));
    let sealed = vault.seal(b"IGAA", &CONTEXT);
    for elsewhere in [
        Context { subject: "17841400000000001", ..CONTEXT },
        Context { purpose: "oauth_states.verifier", ..CONTEXT },
        Context { purpose: CONTEXT.subject, subject: CONTEXT.purpose },
    ] {
        assert_eq!(vault.open(&sealed, &elsewhere), Err(OpenError::Refused), "{elsewhere:?}");
    }
}

#[test]
fn rotation_opens_the_old_and_seals_with_the_new() {
    let (old_key, new_key) = (new_key("old"), new_key("new"));
    let sealed = vault(&old_key).seal(b"IGAA", &CONTEXT);

    let both = vault(&format!("{new_key},{old_key}"));
    assert!(!both.is_current(&sealed));
    let plaintext = both.open(&sealed, &CONTEXT).unwrap();
    let sealed_again = both.seal(&plaintext, &CONTEXT);
    assert!(both.is_current(&sealed_again));
    assert_eq!(both.old_key_ids().collect::<Vec<_>>(), ["old"]);

    let rotated = vault(&new_key);
    assert_eq!(*rotated.open(&sealed_again, &CONTEXT).unwrap(), b"IGAA");
    assert_eq!(rotated.open(&sealed, &CONTEXT), Err(OpenError::UnknownKey));
    assert_eq!(rotated.old_key_ids().count(), 0);
}

#[test]
fn reencrypting_keeps_the_plaintext_and_takes_the_first_key() {
    let (old_key, new_key) = (new_key("old"), new_key("new"));
    let sealed = vault(&old_key).seal(b"IGAA", &CONTEXT);

    let both = vault(&format!("{new_key},{old_key}"));
    let reencrypted = both.reencrypt(&sealed, &CONTEXT).unwrap();
    assert!(both.is_current(&reencrypted));
    assert_eq!(*vault(&new_key).open(&reencrypted, &CONTEXT).unwrap(), b"IGAA");

    let elsewhere = Context { subject: "17841400000000001", ..CONTEXT };
    assert_eq!(both.reencrypt(&sealed, &elsewhere), Err(OpenError::Refused));
    assert_eq!(both.reencrypt("IGAA", &CONTEXT), Err(OpenError::Malformed));
    assert_eq!(vault(&new_key).reencrypt(&sealed, &CONTEXT), Err(OpenError::UnknownKey));
}

#[test]
fn another_key_of_the_same_id_is_refused() {
    let sealed = vault(&new_key("k1")).seal(b"IGAA", &CONTEXT);
    assert_eq!(vault(&new_key("k1")).open(&sealed, &CONTEXT), Err(OpenError::Refused));
}

#[test]
fn a_text_relabelled_with_another_key_of_the_ring_is_refused() {
    // The same key bytes under two ids: only the associated data can tell.
    let key = new_key("a");
    let vault = vault(&format!("{key},b:{}", key.strip_prefix("a:").unwrap()));
    let relabelled = vault.seal(b"IGAA", &CONTEXT).replacen("v1.a.", "v1.b.", 1);
    assert_eq!(vault.open(&relabelled, &CONTEXT), Err(OpenError::Refused));
}

#[test]
fn what_is_no_sealed_text_is_malformed() {
    let vault = vault(&new_key("k1"));
    for text in
        ["", "v1", "v1.k1", "v2.k1.AAAA", "v1.k1.AAAA.AAAA", "v1.k1.AAA=", "v1.k1.A+/A", "IGAA", "v1.k1.AB"]
    {
        assert_eq!(vault.open(text, &CONTEXT), Err(OpenError::Malformed), "{text}");
        assert!(text.starts_with("v1.k1") || !vault.is_current(text), "{text}");
    }
    assert_eq!(vault.open("v1.k1.AAAA", &CONTEXT), Err(OpenError::Refused));
}

#[test]
fn debug_shows_ids_and_no_key() {
    assert_eq!(format!("{:?}", vault(&new_key("k1"))), r#"Vault { keyring: ["k1"] }"#);
}

proptest! {
    #[test]
    fn whatever_is_sealed_opens_in_its_context(
        plaintext in vec(any::<u8>(), 0..600),
        purpose in ".{0,40}",
        subject in ".{0,40}",
        key_id in "[A-Za-z0-9_-]{1,32}",
    ) {
        let vault = vault(&new_key(&key_id));
        let context = Context { purpose: &purpose, subject: &subject };
        let sealed = vault.seal(&plaintext, &context);
        prop_assert_eq!(&**vault.open(&sealed, &context).unwrap(), &plaintext);
        prop_assert!(vault.is_current(&sealed));
        prop_assert_ne!(vault.seal(&plaintext, &context), sealed);
    }

    #[test]
    fn another_context_never_opens(
        (purpose, subject) in (".{0,8}", ".{0,8}"),
        (other_purpose, other_subject) in (".{0,8}", ".{0,8}"),
    ) {
        prop_assume!((&purpose, &subject) != (&other_purpose, &other_subject));
        let vault = vault(&new_key("k1"));
        let sealed = vault.seal(b"IGAA", &Context { purpose: &purpose, subject: &subject });
        let other = Context { purpose: &other_purpose, subject: &other_subject };
        prop_assert_eq!(vault.open(&sealed, &other), Err(OpenError::Refused));
    }

    #[test]
    fn no_text_whatever_makes_it_panic(text in ".{0,80}", message in "[A-Za-z0-9_-]{0,80}") {
        let vault = vault(&new_key("k1"));
        prop_assert!(vault.open(&text, &CONTEXT).is_err());
        let alike = format!("v1.k1.{message}");
        prop_assert!(vault.open(&alike, &CONTEXT).is_err());
    }
}

proptest! {
    // Each case tries some 900 bits.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_flipped_bit_is_refused(plaintext in vec(any::<u8>(), 0..60)) {
        // The second id is one bit away from the first, so that a flip there finds a key.
        let vault = vault(&format!("{},{}", new_key("k1"), new_key("k0")));
        let sealed = vault.seal(&plaintext, &CONTEXT);
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone().into_bytes();
            changed[bit / 8] ^= 1 << (bit % 8);
            // Bytes that are not UTF-8 are no text, and cannot be given to a vault at all.
            if let Ok(changed) = String::from_utf8(changed) {
                prop_assert!(vault.open(&changed, &CONTEXT).is_err(), "bit {}: {}", bit, changed);
            }
        }
    }
}

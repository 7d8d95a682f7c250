//! Promises of a sealed handle: it opens for its bearer, until it expires, and for nobody else.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use serde::{Deserialize, Serialize};
use token_vault::{Context, HandleClaims, Keyring, OpenError, OpenedHandle, Vault, is_handle};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Payload {
    token: String,
}

const CLAIMS: HandleClaims<'_> = HandleClaims { bearer: "user-123", id: "handle-1", expires_at_ms: 1_000 };

fn vault() -> Vault {
    Vault::new(Keyring::parse("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap())
}

fn payload() -> Payload {
    Payload { token: "IGAA-example-token".to_owned() }
}

fn open(handle: &str, bearer: &str, now_ms: i64) -> Result<OpenedHandle<Payload>, OpenError> {
    vault().open_handle(handle, bearer, now_ms)
}

#[test]
fn opens_for_its_bearer_with_what_was_put_in() {
    let handle = vault().seal_handle(&payload(), &CLAIMS);
    assert!(is_handle(&handle) && !handle.contains("IGAA"));
    let opened = open(&handle, "user-123", 999).unwrap();
    assert_eq!(opened, OpenedHandle { id: "handle-1".to_owned(), expires_at_ms: 1_000, payload: payload() });
}

/// Made by libsodium, as in `tests/vault.rs`.
#[test]
fn opens_what_another_implementation_sealed() {
    let handle = "sealed.v1.k1.ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7B1GQ1N0Uq-rmXvlTw0KM63eZNwmURbjV_xQQ6lh8QiGb\
                  NnNSDsaWvoZpBHh2bHNzGoq7evGQDoSGSEoJ1u3GDTujqID9GstGi2Oe6bC6JlkQTFpwuof8aIG7QgPM";
    assert_eq!(open(handle, "user-123", 0).unwrap().payload, payload());
}

#[test]
fn is_refused_for_another_bearer_even_when_expired() {
    let handle = vault().seal_handle(&payload(), &CLAIMS);
    assert_eq!(open(&handle, "user-124", 999), Err(OpenError::Refused));
    assert_eq!(open(&handle, "user-124", 1_001), Err(OpenError::Refused));
}

#[test]
fn expires_at_its_time_and_not_before() {
    let handle = vault().seal_handle(&payload(), &CLAIMS);
    for (now_ms, expected) in [(i64::MIN, None), (999, None), (1_000, Some(OpenError::Expired))] {
        assert_eq!(open(&handle, "user-123", now_ms).err(), expected, "{now_ms}");
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let handle = vault().seal_handle(&payload(), &CLAIMS);
    for bit in 0..handle.len() * 8 {
        let mut changed = handle.clone().into_bytes();
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Ok(changed) = String::from_utf8(changed) {
            assert!(open(&changed, "user-123", 0).is_err(), "bit {bit}: {changed}");
        }
    }
}

#[test]
fn a_stored_secret_is_no_handle_and_a_handle_no_stored_secret() {
    let vault = vault();
    let context = Context { purpose: "instagram_connections.accessToken", subject: "user-123" };
    let stored = vault.seal(br#"{"id":"x","expiresAtMs":1000,"payload":{"token":"IGAA"}}"#, &context);
    assert!(!is_handle(&stored));
    assert_eq!(open(&stored, "user-123", 0), Err(OpenError::Malformed));
    assert_eq!(open(&format!("sealed.{stored}"), "user-123", 0), Err(OpenError::Refused));

    let handle = vault.seal_handle(&payload(), &CLAIMS);
    assert_eq!(vault.open(handle.strip_prefix("sealed.").unwrap(), &context), Err(OpenError::Refused));
}

#[test]
fn a_payload_of_another_shape_is_malformed() {
    let handle = vault().seal_handle(&"just text", &CLAIMS);
    assert_eq!(open(&handle, "user-123", 0), Err(OpenError::Malformed));
}

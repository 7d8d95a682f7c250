//! Functions that read bytes from outside, for the fuzz targets in `crates/fuzz`. Each function must come to
//! an end without panicking, whatever it is given.

use std::sync::LazyLock;

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use token_vault::{HandleClaims, Keyring, Vault};

use crate::caller::api_key::ApiKeyText;
use crate::caller::bearer_key;
use crate::routes::fuzz_callback_query;
use domain::connections::fuzz_pending_connection;
use instagram_client::{SignedRequest, SigningSecrets};

/// Signs what the targets make. It plays no real secret.
const SECRET: &str = "a secret of the fuzz targets";

/// A caller's id.
const BEARER: &str = "usr_a";

static VAULT: LazyLock<Vault> = LazyLock::new(|| {
    let entry = Keyring::generate("fuzz").expect("this is a good id");
    Vault::new(Keyring::parse(&entry).expect("this was generated"))
});

/// Takes any input.
#[cfg(test)]
type Target = fn(&[u8]);

/// Every target of this crate by its name, which is its corpus's, too.
#[cfg(test)]
const TARGETS: [(&str, Target); 4] = [
    ("signed_request", signed_request),
    ("sealed_handle", sealed_handle),
    ("api_key", api_key),
    ("callback_query", callback_query),
];

/// Reads the bytes as a signed request of Meta: as they come, and as the payload of a request with a good
/// signature.
pub fn signed_request(bytes: &[u8]) {
    let secrets = SigningSecrets::new([SECRET.into()]);
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(SignedRequest::parse(text, &secrets).is_err(), "nobody guesses a signature");
    }
    let payload = URL_SAFE_NO_PAD.encode(bytes);
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length will do");
    let signature = URL_SAFE_NO_PAD.encode(mac.chain_update(&payload).finalize().into_bytes());
    if let Ok(request) = SignedRequest::parse(&format!("{signature}.{payload}"), &secrets) {
        assert!(request.account_id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(request.fingerprint("a"), request.fingerprint("a"));
        assert_ne!(request.fingerprint("a"), request.fingerprint("b"));
    }
}

/// A handle as it comes, and one whose content is anything.
pub fn sealed_handle(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(VAULT.open_handle::<Value>(text, BEARER, 0).is_err(), "nobody guesses a seal");
    }
    if let Ok(payload) = serde_json::from_slice::<Value>(bytes) {
        let claims = HandleClaims { bearer: BEARER, id: "handle", expires_at_ms: 1 };
        let handle = VAULT.seal_handle(&payload, &claims);
        assert!(VAULT.open_handle::<Value>(&handle, "usr_b", 0).is_err(), "it is somebody else's");
        fuzz_pending_connection(&VAULT, &handle, BEARER);
    }
}

/// The header that a program sends.
pub fn api_key(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, value);
    if let Some(key) = bearer_key(&headers) {
        let again = ApiKeyText::parse(key.expose()).expect("a key is one every time");
        assert_eq!(key.hash(), again.hash());
        assert!(key.expose().starts_with(&key.hint()));
    }
}

/// Reads the bytes as the query that a provider puts into the callback's address.
pub fn callback_query(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        fuzz_callback_query(text);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_corpus_is_clean() {
        for (name, target) in TARGETS {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/fuzz/corpus").join(name);
            let files: Vec<_> = fs::read_dir(&folder).unwrap().collect();
            assert!(!files.is_empty(), "{name} has no corpus");
            files.into_iter().for_each(|file| target(&fs::read(file.unwrap().path()).unwrap()));
        }
    }
}

//! Requests that Meta signs: the `signed_request` of its deauthorize and data deletion calls
//! (`instagram-api.md` §9).

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use upstream::readable_json;

/// Base64url. Reports show it with and without padding.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The only algorithm there is.
const ALGORITHM: &str = "HMAC-SHA256";

/// Longest account id that is looked at, in bytes. Instagram's have 17 digits.
const LONGEST_ID: usize = 64;

/// The secrets that may sign. Reports disagree on which one does, the Instagram app's or the Meta app's.
pub struct SigningSecrets(Vec<SecretString>);

impl SigningSecrets {
    /// Takes the Instagram app's secret, and the Meta app's where it is known.
    pub fn new(secrets: impl IntoIterator<Item = SecretString>) -> Self {
        Self(secrets.into_iter().collect())
    }

    /// Tells whether one of the secrets signed these bytes. Compares in constant time.
    fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.iter().any(|secret| {
            Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
                .is_ok_and(|mac| mac.chain_update(message).verify_slice(signature).is_ok())
        })
    }
}

/// A request that Meta has signed.
pub struct SignedRequest {
    /// The account: its professional id or the one that only this app sees; which of them is not certain.
    pub account_id: String,
    /// Time at which Meta made the request, in whole seconds.
    pub issued_at: Timestamp,
    /// The signature and what is signed. Nobody guesses the former without the secret.
    signed: Vec<u8>,
}

/// Reasons to refuse a signed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedRequestError {
    /// It has not the form of one.
    Malformed,
    /// None of the secrets signed it.
    BadSignature,
}

/// The payload that is signed.
#[derive(Deserialize)]
struct Payload {
    algorithm: String,
    issued_at: i64,
    user_id: UserId,
}

/// Some apps get a number. One that is written as a float is refused: its last digits may be gone.
#[derive(Deserialize)]
#[serde(untagged)]
enum UserId {
    Text(String),
    Number(u64),
}

impl SignedRequest {
    /// Reads `<signature>.<payload>`. What is signed is the payload as it was sent, before it is decoded, and it is not
    /// looked into before the signature is known to be good.
    ///
    /// # Errors
    /// [`SignedRequestError`].
    pub fn parse(text: &str, secrets: &SigningSecrets) -> Result<Self, SignedRequestError> {
        let (signature, payload) = text.split_once('.').ok_or(SignedRequestError::Malformed)?;
        if !is_base64url(signature) || !is_base64url(payload) {
            return Err(SignedRequestError::Malformed);
        }
        let signature = BASE64URL.decode(signature).map_err(|_| SignedRequestError::BadSignature)?;
        if !secrets.signed(payload.as_bytes(), &signature) {
            return Err(SignedRequestError::BadSignature);
        }
        let (account_id, issued_at) = read(payload).ok_or(SignedRequestError::Malformed)?;
        let signed = [&signature, payload.as_bytes()].concat();
        Ok(Self { account_id, issued_at, signed })
    }

    /// A name for this request and this purpose: 32 hexadecimal digits, the same each time it is sent, and hard to guess
    /// for those who have not seen it.
    pub fn fingerprint(&self, purpose: &str) -> String {
        let digest =
            Sha256::new().chain_update(purpose).chain_update([0]).chain_update(&self.signed).finalize();
        digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn read(payload: &str) -> Option<(String, Timestamp)> {
    let payload: Payload = serde_json::from_slice(&readable_json(BASE64URL.decode(payload).ok()?)).ok()?;
    let account_id = match payload.user_id {
        UserId::Text(text) => text,
        UserId::Number(number) => number.to_string(),
    };
    let is_usable = payload.algorithm.eq_ignore_ascii_case(ALGORITHM)
        && (1..=LONGEST_ID).contains(&account_id.len())
        && account_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let issued_at = Timestamp::from_second(payload.issued_at).ok()?;
    is_usable.then_some((account_id, issued_at))
}

fn is_base64url(text: &str) -> bool {
    let text = text.trim_end_matches('=');
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};

    const PAYLOAD: &str =
        r#"{"algorithm":"HMAC-SHA256","issued_at":1716300000,"user_id":"17841400000000000"}"#;

    fn secrets() -> SigningSecrets {
        SigningSecrets(vec!["of the app".into(), "of meta".into()])
    }

    fn sign(encoded: &str, secret: &str) -> Vec<u8> {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.chain_update(encoded).finalize().into_bytes().to_vec()
    }

    fn signed(payload: &str, secret: &str) -> String {
        let payload = URL_SAFE_NO_PAD.encode(payload);
        format!("{}.{payload}", URL_SAFE_NO_PAD.encode(sign(&payload, secret)))
    }

    fn parse(text: &str) -> Result<(String, i64), SignedRequestError> {
        SignedRequest::parse(text, &secrets())
            .map(|request| (request.account_id, request.issued_at.as_second()))
    }

    #[test]
    fn a_signature_computed_elsewhere_is_accepted() {
        // Made with Python's hmac and base64.
        let text = "1SgRH3tWfx8k2yYIqraHDf9vbONjAsAFuJ5AfIlAAuU.\
                    eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsImlzc3VlZF9hdCI6MTcxNjMwMDAwMCwidXNlcl9pZCI6IjE3ODQxNDAwMDAwMDAwMDAwIn0";
        assert_eq!(parse(text), Ok(("17841400000000000".to_owned(), 1_716_300_000)));
    }

    #[test]
    fn either_secret_signs_and_padding_does_not_matter() {
        let expected = Ok(("17841400000000000".to_owned(), 1_716_300_000));
        for secret in ["of the app", "of meta"] {
            assert_eq!(parse(&signed(PAYLOAD, secret)), expected);
            let padded = URL_SAFE.encode(PAYLOAD);
            let signature = sign(&padded, secret);
            assert_eq!(parse(&format!("{}.{padded}", URL_SAFE.encode(&signature))), expected);
            assert_eq!(parse(&format!("{}.{padded}", URL_SAFE_NO_PAD.encode(&signature))), expected);
        }
    }

    #[test]
    fn an_id_keeps_every_digit_and_a_float_is_no_id() {
        let with = |id: &str| {
            let payload = format!(r#"{{"algorithm":"HMAC-SHA256","issued_at":1,"user_id":{id}}}"#);
            parse(&signed(&payload, "of the app")).map(|(id, _)| id)
        };
        for id in ["24578906541234567", "18446744073709551615", "0"] {
            assert_eq!(with(id).as_deref(), Ok(id));
            assert_eq!(with(&format!("\"{id}\"")).as_deref(), Ok(id));
        }
        for id in [
            "1.0",
            "1e3",
            "18446744073709551616",
            "-1",
            "null",
            "true",
            "[]",
            "\"\"",
            "\"a b\"",
            "\"{$ne:1}\"",
        ] {
            assert_eq!(with(id), Err(SignedRequestError::Malformed), "{id}");
        }
    }

    /// Meta may say more of a person than is asked for here.
    #[test]
    fn half_an_emoji_keeps_no_request_from_being_read() {
        let payload = |locale: &str| {
            format!(
                r#"{{"algorithm":"HMAC-SHA256","issued_at":1,"user_id":"1","user":{{"{locale}":"{locale}"}}}}"#
            )
        };
        for locale in [r"\ud83d", r"\ude00\ud83d", r"\\ud83d"] {
            assert_eq!(parse(&signed(&payload(locale), "of the app")), Ok(("1".to_owned(), 1)), "{locale}");
        }
        // Nor does a byte that is no UTF-8: these are Latin-1.
        let bytes: Vec<u8> = payload("\u{e9}").chars().map(|c| c as u8).collect();
        let encoded = URL_SAFE_NO_PAD.encode(bytes);
        let text = format!("{}.{encoded}", URL_SAFE_NO_PAD.encode(sign(&encoded, "of the app")));
        assert_eq!(parse(&text), Ok(("1".to_owned(), 1)));
    }

    #[test]
    fn what_is_signed_and_makes_no_sense_is_malformed() {
        for payload in [
            "",
            "x",
            "[]",
            r#"{"algorithm":"HMAC-SHA1","issued_at":1,"user_id":"1"}"#,
            r#"{"algorithm":"none","issued_at":1,"user_id":"1"}"#,
            r#"{"issued_at":1,"user_id":"1"}"#,
            r#"{"algorithm":"HMAC-SHA256","user_id":"1"}"#,
            r#"{"algorithm":"HMAC-SHA256","issued_at":1.5,"user_id":"1"}"#,
            r#"{"algorithm":"HMAC-SHA256","issued_at":"1","user_id":"1"}"#,
            r#"{"algorithm":"HMAC-SHA256","issued_at":9223372036854775807,"user_id":"1"}"#,
            r#"{"algorithm":"HMAC-SHA256","issued_at":1}"#,
        ] {
            assert_eq!(
                parse(&signed(payload, "of the app")),
                Err(SignedRequestError::Malformed),
                "{payload}"
            );
        }
        for text in ["", ".", "a", "a.", ".a", "a b.c", "a.b.c", "ä.b", "====.====", "+/+/.abcd"] {
            assert_eq!(parse(text), Err(SignedRequestError::Malformed), "{text}");
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let text = signed(PAYLOAD, "of the app");
        assert!(parse(&text).is_ok());
        for index in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            assert!(parse(std::str::from_utf8(&changed).unwrap()).is_err(), "{index}");
        }
        assert_eq!(parse(&signed(PAYLOAD, "of nobody")), Err(SignedRequestError::BadSignature));
        assert_eq!(parse(&signed(PAYLOAD, "")), Err(SignedRequestError::BadSignature));
        let payload = URL_SAFE_NO_PAD.encode(PAYLOAD);
        let short = URL_SAFE_NO_PAD.encode(&sign(&payload, "of the app")[..16]);
        assert_eq!(parse(&format!("{short}.{payload}")), Err(SignedRequestError::BadSignature));
        assert_eq!(parse(&format!("AA.{payload}")), Err(SignedRequestError::BadSignature));
    }

    #[test]
    fn a_fingerprint_is_the_requests_and_the_purposes() {
        let of = |text: &str, purpose| {
            SignedRequest::parse(text, &secrets()).ok().map(|request| request.fingerprint(purpose)).unwrap()
        };
        let (one, other) = (signed(PAYLOAD, "of the app"), signed(PAYLOAD, "of meta"));
        assert_eq!(of(&one, "a"), of(&one, "a"));
        assert_eq!(of(&one, "a").len(), 32);
        assert_ne!(of(&one, "a"), of(&one, "b"));
        assert_ne!(of(&one, "a"), of(&other, "a"), "without the secret there is no telling");
    }
}

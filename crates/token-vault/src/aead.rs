//! XChaCha20-Poly1305 over one buffer: `nonce ‖ ciphertext ‖ tag`.

use chacha20poly1305::aead::{AeadInOut, Generate};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// Bytes of the nonce, in front.
const NONCE_LEN: usize = 24;
/// Bytes of the authentication tag, at the end.
const TAG_LEN: usize = 16;

/// Encrypts with a fresh nonce from the operating system. Panics when that has no randomness to give: a program that
/// cannot have a nonce must not go on.
pub(crate) fn encrypt(cipher: &XChaCha20Poly1305, associated_data: &[u8], plaintext: &[u8]) -> Vec<u8> {
    encrypt_with_nonce(cipher, &XNonce::generate(), associated_data, plaintext)
}

/// [`encrypt`] with the nonce given, which published vectors need.
fn encrypt_with_nonce(
    cipher: &XChaCha20Poly1305,
    nonce: &XNonce,
    associated_data: &[u8],
    plaintext: &[u8],
) -> Vec<u8> {
    // Exactly as large as the result: growing would leave a copy of the plaintext in freed memory.
    let mut message = Vec::with_capacity(NONCE_LEN + plaintext.len() + TAG_LEN);
    message.extend_from_slice(nonce);
    message.extend_from_slice(plaintext);
    let tag = cipher
        .encrypt_inout_detached(nonce, associated_data, (&mut message[NONCE_LEN..]).into())
        .expect("only fails above 256 GiB, which does not fit the buffer filled above");
    message.extend_from_slice(&tag);
    message
}

/// Decrypts what [`encrypt`] made. `None` when the key, the associated data or any bit of the message is another one;
/// which of them, nobody can tell.
pub(crate) fn decrypt(
    cipher: &XChaCha20Poly1305,
    associated_data: &[u8],
    message: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = message.split_first_chunk::<NONCE_LEN>()?;
    let (ciphertext, tag) = sealed.split_last_chunk::<TAG_LEN>()?;
    let mut plaintext = Zeroizing::new(ciphertext.to_vec());
    cipher
        .decrypt_inout_detached(
            &XNonce::from(*nonce),
            associated_data,
            plaintext.as_mut_slice().into(),
            &Tag::from(*tag),
        )
        .ok()?;
    Some(plaintext)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20poly1305::KeyInit;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    const PLAINTEXT: &[u8] = b"Ladies and Gentlemen of the class of '99: \
        If I could offer you only one tip for the future, sunscreen would be it.";

    /// The vector of draft-irtf-cfrg-xchacha-03, appendix A.3.1: cipher, nonce, associated data, message.
    fn published() -> (XChaCha20Poly1305, XNonce, Vec<u8>, Vec<u8>) {
        let key: Vec<u8> = (0x80..=0x9f).collect();
        let nonce: Vec<u8> = (0x40..=0x57).collect();
        let ciphertext_and_tag = bytes(
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb
             731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452
             2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9
             21f9664c97637da9768812f615c68b13b52e
             c0875924c1c7987947deafd8780acf49",
        );
        let message = [nonce.clone(), ciphertext_and_tag].concat();
        (
            XChaCha20Poly1305::new_from_slice(&key).unwrap(),
            XNonce::try_from(nonce.as_slice()).unwrap(),
            bytes("50515253c0c1c2c3c4c5c6c7"),
            message,
        )
    }

    #[test]
    fn the_published_vector_encrypts() {
        let (cipher, nonce, associated_data, message) = published();
        assert_eq!(encrypt_with_nonce(&cipher, &nonce, &associated_data, PLAINTEXT), message);
    }

    #[test]
    fn the_published_vector_decrypts() {
        let (cipher, _, associated_data, message) = published();
        assert_eq!(decrypt(&cipher, &associated_data, &message).unwrap().as_slice(), PLAINTEXT);
    }

    #[test]
    fn the_published_vector_with_any_bit_flipped_is_refused() {
        let (cipher, _, associated_data, message) = published();
        for bit in 0..message.len() * 8 {
            let mut changed = message.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(decrypt(&cipher, &associated_data, &changed).is_none(), "message bit {bit}");
        }
        for bit in 0..associated_data.len() * 8 {
            let mut changed = associated_data.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(decrypt(&cipher, &changed, &message).is_none(), "associated data bit {bit}");
        }
    }

    #[test]
    fn a_message_too_short_for_nonce_and_tag_is_refused() {
        let (cipher, _, associated_data, message) = published();
        for length in 0..NONCE_LEN + TAG_LEN {
            assert!(decrypt(&cipher, &associated_data, &message[..length]).is_none(), "{length} bytes");
        }
    }
}

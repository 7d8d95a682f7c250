//! Text that cannot be guessed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Returns random text: `LENGTH` bytes from the operating system, in base64url.
pub fn random_text<const LENGTH: usize>() -> String {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("an operating system without randomness cannot run this");
    URL_SAFE_NO_PAD.encode(bytes)
}

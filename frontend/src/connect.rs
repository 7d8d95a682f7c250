//! Leaving for Instagram.

use leptos::prelude::location;

use crate::api::{self, ApiFailure};
use crate::session::Session;

/// Asks the server for Instagram's address and sends the whole page there: Instagram refuses to work in a popup.
///
/// `return_to` is the path to come back to. With `another_account` Instagram asks who signs in. When this returns
/// `Ok`, the browser is on its way.
pub async fn begin(session: Session, return_to: &str, another_account: bool) -> Result<(), ApiFailure> {
    let url = session.checked(api::login_url(return_to, another_account).await)?;
    if !is_web_address(&url) {
        return Err(ApiFailure::Unreadable);
    }
    location().assign(&url).map_err(|_| ApiFailure::Unreadable)
}

/// Whether an address is one to send a browser to: never `javascript:` and the like.
fn is_web_address(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_web_is_gone_to() {
        assert!(is_web_address("https://www.instagram.com/oauth/authorize?x"));
        assert!(is_web_address("http://localhost:4900/oauth/authorize"));
        assert!(!is_web_address("javascript:alert(1)"));
        assert!(!is_web_address("/oauth"));
    }
}

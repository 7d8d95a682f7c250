//! Leaving for a provider.

use leptos::prelude::location;

use crate::api::{self, ApiFailure};
use crate::providers::Provider;
use crate::session::Session;
use crate::storage;

/// Purpose for which the browser leaves for a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To connect an account.
    Connect,
    /// To refresh the access to a connected account. The provider asks for a fresh sign-in, and the server notices when
    /// somebody else comes back.
    Reconnect,
    /// To connect whichever account is signed in to now: the provider asks for a fresh sign-in.
    AnotherAccount,
}

impl Purpose {
    /// Every purpose.
    const ALL: [Self; 3] = [Self::Connect, Self::Reconnect, Self::AnotherAccount];

    /// The name under which it is remembered.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Reconnect => "reconnect",
            Self::AnotherAccount => "another-account",
        }
    }

    /// The purpose of a name; to connect, for a name that is unknown.
    pub fn of_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name).unwrap_or(Self::Connect)
    }
}

/// Asks the server for the provider's address and sends the whole page there: a provider may refuse to work in a popup.
///
/// `return_to` is the path to come back to, `connection_id` the connection to reconnect (the one in use, where there is none),
/// `before` the [marks](crate::callback::marks) of what is connected now. When this returns `Ok`, the browser is on its way.
pub async fn begin(
    session: Session,
    provider: &Provider,
    return_to: &str,
    purpose: Purpose,
    connection_id: Option<&str>,
    before: &str,
) -> Result<(), ApiFailure> {
    // A way that ends early is begun again as it was: a reconnect must not become a connect by the way.
    storage::keep_attempt(provider, purpose, connection_id, return_to, before);
    let url = session.checked(api::login_url(provider, return_to, purpose, connection_id).await)?;
    if !is_web_address(&url) {
        return Err(ApiFailure::Unreadable);
    }
    location().assign(&url).map_err(|_| ApiFailure::Unreadable)
}

/// Tells whether a browser may be sent to an address: never to `javascript:` and the like.
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

    #[test]
    fn a_purpose_is_remembered_by_its_name() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::of_name(purpose.name()), purpose);
        }
        assert_eq!(Purpose::of_name(""), Purpose::Connect);
    }
}

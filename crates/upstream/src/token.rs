//! Tokens as types of their own, so that none is shown by mistake.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

macro_rules! secret_token {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(SecretString);

        impl $name {
            /// Returns the text itself. Each use is a place to look at in review: it must reach no log, error or browser.
            #[must_use]
            pub fn expose(&self) -> &str {
                self.0.expose_secret()
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    };
}

secret_token! {
    /// A token for calls of a provider's API. `Debug` hides it, and dropping it overwrites it with zeros.
    AccessToken
}

secret_token! {
    /// A token for getting access tokens. `Debug` hides it, and dropping it overwrites it with zeros.
    RefreshToken
}

secret_token! {
    /// The verifier of a code that was asked for with PKCE (RFC 7636). `Debug` hides it, and dropping it overwrites it with
    /// zeros.
    CodeVerifier
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_kind_alone() {
        assert_eq!(format!("{:?}", AccessToken::from("IGAAx".to_owned())), "AccessToken([redacted])");
        assert_eq!(format!("{:?}", RefreshToken::from("AQx".to_owned())), "RefreshToken([redacted])");
        assert_eq!(format!("{:?}", CodeVerifier::from("x".to_owned())), "CodeVerifier([redacted])");
    }
}

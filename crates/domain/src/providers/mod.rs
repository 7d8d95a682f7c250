//! The providers that accounts are connected from: what differs between them, in a file each.
//!
//! [`Rules`] is what is known of a provider without asking it: times, names and sentences. [`ProviderClient`] is how it is asked.
//! All else in this crate is the same for every provider.

mod all;
pub(crate) mod instagram;
#[cfg(test)]
mod made_up;
mod spotify;

use async_trait::async_trait;
use connection_store::Profile;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::Provider;
use upstream::{AccessToken, ApiCall, CodeVerifier, RefreshToken, UpstreamError};

use crate::clock::Clock;
use crate::connections::ForwardedCall;

pub use all::{ConfiguredClient, Providers};
pub use spotify::Spotify;

/// What is known of a provider without asking it.
#[derive(Debug)]
pub struct Rules {
    /// The provider.
    pub provider: Provider,
    /// Stands before a username in sentences.
    pub(crate) sigil: &'static str,
    /// Permissions that are asked for where the configuration names no others.
    pub(crate) permissions: &'static [&'static str],
    /// The permission without which no profile can be read; reading one shows that it is granted.
    pub(crate) basic: Option<&'static str>,
    /// What a permission is for, to be read after "lets us".
    pub(crate) purpose: fn(&str) -> &'static str,
    /// Purposes that stored access and refresh tokens are sealed for.
    pub(crate) sealed_as: [&'static str; 2],
    /// The provider refreshes no token that is younger.
    pub(crate) youngest: SignedDuration,
    /// Decides when a token is refreshed that was issued and expires at these times; the last is how long before its end that is
    /// wanted, where the provider leaves a choice.
    pub(crate) refresh_at: fn(Timestamp, Timestamp, SignedDuration) -> Timestamp,
    /// The first time that [`refresh_at`](Self::refresh_at) can decide for a token.
    pub(crate) earliest_refresh: fn(Timestamp, Timestamp) -> Timestamp,
    /// The provider may tell the lasting id of an account only after it was connected by its other id.
    pub(crate) tells_id_late: bool,
    /// Decides when a connection ends, of the time of the consent and the token's end.
    pub(crate) expires_at: fn(Timestamp, Timestamp) -> Timestamp,
    /// Less than this before its end, a connection is expiring.
    pub(crate) expiring: SignedDuration,
    /// An access token with less left than this is refreshed before it is used. `None`: it is used to its end, and refreshing it
    /// moves the connection's end.
    pub(crate) margin: Option<SignedDuration>,
    /// The provider's word that a token is dead is believed when it comes again after so long. `None`: at once.
    pub(crate) heard_twice_within: Option<SignedDuration>,
    /// Longest life, in seconds, that a client may claim for a token that it brings itself. `None`: it brings none.
    pub(crate) longest_raw_life: Option<u64>,
    /// Calls that are forwarded for programs.
    pub(crate) forwarded: &'static [ForwardedCall],
    /// Tells whether a segment of a forwarded path can be the id of something.
    pub(crate) is_id: fn(&str) -> bool,
    /// Address at which a person removes the app, where the provider is not told by us.
    pub revoke_url: Option<&'static str>,
    /// Address of an account's page, of its username.
    pub(crate) profile_url: fn(&str) -> Option<String>,
    /// Tells the owner that the connection's time is over.
    pub(crate) expired: &'static str,
    /// Tells the owner why the provider refuses the token, of the provider's subcode.
    pub(crate) why_refused: fn(Option<i64>) -> &'static str,
}

/// Returns what is known of a provider.
pub fn rules(provider: Provider) -> &'static Rules {
    match provider {
        Provider::Instagram => &instagram::RULES,
        Provider::Spotify => &spotify::RULES,
    }
}

/// How a provider is asked. No call is made twice by this: what is tried again, the caller decides. Calls stay on the thread of the
/// request or job that makes them.
#[async_trait(?Send)]
pub trait ProviderClient: Send + Sync {
    /// Returns the address to which the provider sends people back.
    fn redirect_uri(&self) -> &str;

    /// Returns the permissions that are asked for.
    fn permissions(&self) -> Vec<String>;

    /// Makes the address to send a person to. `asks_afresh`: whoever is signed in there, the person is to be asked.
    fn authorize(&self, state: &str, asks_afresh: bool) -> Authorization;

    /// Turns a code into tokens, and reads whose they are.
    ///
    /// # Errors
    /// The provider's.
    async fn exchange(
        &self,
        code: &str,
        verifier: Option<CodeVerifier>,
        clock: &dyn Clock,
    ) -> Result<Grant, UpstreamError>;

    /// Refreshes a token.
    ///
    /// # Errors
    /// The provider's.
    async fn refresh(&self, credentials: &Credentials) -> Result<Refreshed, UpstreamError>;

    /// Reads the profile of the account that a token is of.
    ///
    /// # Errors
    /// The provider's.
    async fn account(&self, token: &AccessToken) -> Result<Account, UpstreamError>;

    /// Makes a call that a program made up, for an account: `me` in its path.
    ///
    /// # Errors
    /// The provider's.
    async fn call(
        &self,
        call: ApiCall,
        account_id: &str,
        token: &AccessToken,
    ) -> Result<Value, UpstreamError>;
}

/// An address to send a person to.
pub struct Authorization {
    /// The address.
    pub url: String,
    /// The PKCE verifier that the code will be good for (RFC 7636).
    pub verifier: Option<CodeVerifier>,
}

/// Access that a person has granted.
pub struct Grant {
    /// The tokens.
    pub credentials: Credentials,
    /// Time at which the access token was issued.
    pub issued_at: Timestamp,
    /// Life of the access token.
    pub expires_in: std::time::Duration,
    /// The account.
    pub account: Account,
    /// Permissions granted, where the provider said so.
    pub scopes: Option<Vec<String>>,
}

/// The tokens of a connection. At least one is there.
pub struct Credentials {
    /// The access token, where it could be opened.
    pub access: Option<AccessToken>,
    /// The refresh token, where the provider has one.
    pub refresh: Option<RefreshToken>,
}

/// A token that was refreshed.
pub struct Refreshed {
    /// The new access token.
    pub access: AccessToken,
    /// A new refresh token; `None`: the old one stays good.
    pub refresh: Option<RefreshToken>,
    /// Life of the access token.
    pub expires_in: std::time::Duration,
    /// Permissions granted, where the provider said so.
    pub scopes: Option<Vec<String>>,
}

/// An account at a provider.
pub struct Account {
    /// The id that never changes.
    pub id: String,
    /// Another id of it.
    pub other_id: Option<String>,
    /// A kind of account that the provider lets no app act for.
    pub is_personal: bool,
    /// The profile.
    pub profile: Profile,
}

impl Credentials {
    /// Returns the text of the token that stays the same while the other is refreshed.
    pub(crate) fn lasting(&self) -> Option<&str> {
        let refresh = self.refresh.as_ref().map(RefreshToken::expose);
        refresh.or_else(|| self.access.as_ref().map(AccessToken::expose))
    }
}

impl Rules {
    /// Returns the permissions that are asked for where the configuration names no others.
    pub fn default_permissions(&self) -> Vec<String> {
        self.permissions.iter().map(|&permission| permission.to_owned()).collect()
    }

    /// Tells whether the access token lasts as long as the connection does, which ends with it.
    pub(crate) fn is_lasting(&self) -> bool {
        self.margin.is_none()
    }

    /// Tells whether a connection is over by its end alone. An expired token of Instagram's can never be refreshed, and its end is what
    /// Instagram said when it gave the token; the end of Spotify's consent is an estimate, and Spotify's word decides.
    pub(crate) fn has_ended(&self, expires_at: Timestamp, now: Timestamp) -> bool {
        self.is_lasting() && expires_at <= now
    }
}

/// The sentences that differ by the provider's name alone. They tell the owner, as `lastError` and in events.
impl Rules {
    fn title(&self) -> &'static str {
        self.provider.title()
    }

    /// Tells why a token was not refreshed.
    pub(crate) fn why_not_refreshed(&self, error: &UpstreamError) -> String {
        let title = self.title();
        match error {
            UpstreamError::AppAccess { .. } => format!(
                "{title} does not let this app act for the account at the moment. The app's owner has to look at it."
            ),
            UpstreamError::MissingPermission { .. } => format!("{title} says that a permission is missing."),
            UpstreamError::Misconfigured { .. } => {
                format!("{title} does not accept this server's app at the moment.")
            }
            UpstreamError::NeedsReauthorization { .. } => {
                format!(
                    "{title} refused the access when we last renewed it. We ask again before we believe it."
                )
            }
            _ => format!("{title} did not answer as expected when we last tried to renew the access."),
        }
    }

    /// Tells that a token was refreshed.
    pub(crate) fn refreshed(&self) -> String {
        format!("{} renewed the access.", self.title())
    }

    /// Tells that the profile was read.
    pub(crate) fn synced(&self) -> String {
        format!("The profile was read from {}.", self.title())
    }

    /// Tells that the profile was not read.
    pub(crate) fn not_synced(&self) -> String {
        format!("{} did not answer as expected when we last asked for the profile.", self.title())
    }

    /// Tells that a program was given the token.
    pub(crate) fn token_given(&self, key_name: &str) -> String {
        format!("The API key “{key_name}” was given {}'s access.", self.title())
    }

    /// Tells that a permission is granted no longer.
    pub(crate) fn permission_lost(&self, scope: &str) -> String {
        format!("{} no longer lets us {}.", self.title(), (self.purpose)(scope))
    }

    /// Returns an account's name as sentences have it.
    pub fn mention(&self, username: &str) -> String {
        format!("{}{username}", self.sigil)
    }

    /// Tells that an account was connected or disconnected.
    pub(crate) fn changed(&self, username: &str, what: &str) -> String {
        format!("{} was {what}.", self.mention(username))
    }
}

//! OAuth `state` values between login and callback.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::Provider;

use crate::{SecretHash, StoreResult};

/// A state to be remembered.
#[derive(Clone, Debug)]
pub struct NewOAuthState {
    /// Hash of the value that travels through the provider.
    pub state_hash: SecretHash,
    /// The provider that the person is sent to.
    pub provider: Provider,
    /// To whom it is bound.
    pub user_id: String,
    /// The frontend's path to go back to afterwards.
    pub return_to: Option<String>,
    /// The account that the person is to come back with; `None` where any will do.
    pub expected_account: Option<ExpectedAccount>,
    /// The PKCE verifier (RFC 7636) as the vault sealed it; `None` where the provider is asked without.
    pub sealed_verifier: Option<String>,
    /// Time at which the state was made.
    pub created_at: Timestamp,
    /// Time at which the state expires. The store deletes it some time later by itself.
    pub expires_at: Timestamp,
}

/// A state that was just used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumedState {
    /// The frontend's path to go back to.
    pub return_to: Option<String>,
    /// The account that the person was to come back with.
    pub expected_account: Option<ExpectedAccount>,
    /// The PKCE verifier as the vault sealed it.
    pub sealed_verifier: Option<String>,
}

/// The account that is to be reconnected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedAccount {
    /// The account's id at the provider.
    pub provider_account_id: String,
    /// As it was when the person left, without the `@`.
    pub username: String,
}

/// OAuth `state` values.
#[async_trait]
pub trait OAuthStates {
    /// Remembers a state.
    async fn insert_state(&self, state: NewOAuthState) -> StoreResult<()>;

    /// Uses a state up, atomically: of any number of calls at once for one state, one gets `Some`.
    ///
    /// `None` when it is unknown, used, ended at or before `now`, made for another
    /// provider, or bound to another user; an attempt by another user, or at another provider, does not use it up.
    async fn consume_state(
        &self,
        state_hash: &SecretHash,
        provider: Provider,
        user_id: &str,
        now: Timestamp,
    ) -> StoreResult<Option<ConsumedState>>;
}

//! OAuth `state` values between login and callback.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{SecretHash, StoreResult};

/// A state to be remembered.
#[derive(Clone, Debug)]
pub struct NewOAuthState {
    /// Hash of the value that travels through Instagram.
    pub state_hash: SecretHash,
    /// To whom it is bound.
    pub user_id: String,
    /// The frontend's path to go back to afterwards.
    pub return_to: Option<String>,
    /// The account that the person is to come back with; `None` where any will do.
    pub expected_account: Option<ExpectedAccount>,
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
}

/// The account that is to be reconnected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedAccount {
    /// The professional account's id.
    pub instagram_user_id: String,
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
    /// `None` when it is unknown, used, ended at or before `now`, or bound to another user; a try by another user does not
    /// use it up.
    async fn consume_state(
        &self,
        state_hash: &SecretHash,
        user_id: &str,
        now: Timestamp,
    ) -> StoreResult<Option<ConsumedState>>;
}

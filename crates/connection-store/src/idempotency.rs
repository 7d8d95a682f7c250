//! Answers that are given again when a client repeats a request.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{SecretHash, StoreResult};

/// State of a request that a client names by an `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repetition {
    /// Nothing: it is the caller's to carry out, and others wait for it.
    First,
    /// It is being carried out, or whoever did died at it.
    Running,
    /// The same key came with another request.
    Different,
    /// It was carried out, with this answer.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The body, sealed: it can hold a secret that is shown once.
        sealed_body: String,
    },
}

/// A request that a client names.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// The name.
    pub name: SecretHash,
    /// Names this very claim, by which alone it is forgotten: no two requests have the same one.
    pub claim: String,
    /// Stands for what is asked.
    pub request_hash: SecretHash,
    /// Owner of the request: a user's id, or whatever stands for another caller. The stored request goes with
    /// the user.
    pub owner: String,
    /// Time at which a claim without an answer ends.
    pub lease_until: Timestamp,
    /// Time at which everything about the request is forgotten.
    pub expires_at: Timestamp,
}

/// An answer that is kept, as the change of a key sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedAnswer {
    /// The request's name.
    pub name: SecretHash,
    /// The answer's body.
    pub sealed_body: String,
}

/// Requests that clients name, and their answers.
#[async_trait]
pub trait Idempotency {
    /// Claims a request under a name, atomically: of any number of calls at once, one gets `First`. Another request under the same
    /// name is `Different`, until everything is forgotten. A claim without an answer ends at `lease_until`, so that a process
    /// that dies does not block the name for the same request.
    async fn begin_request(&self, request: NewRequest, now: Timestamp) -> StoreResult<Repetition>;

    /// Keeps the answer for those who ask again. The first one stays, where a claim was taken over and both come to an end;
    /// one to a request that is forgotten is not kept.
    async fn answer_request(&self, name: &SecretHash, status: u16, sealed_body: &str) -> StoreResult<()>;

    /// Forgets the claim of this name: nothing was done, and the same request may be tried again. Another's claim is not
    /// forgotten, and neither is an answer. A claim that was said to be unavailable may have been made: it is forgotten like
    /// any.
    async fn forget_request(&self, name: &SecretHash, claim: &str) -> StoreResult<()>;

    /// The answers that are sealed with a key, by their names: those after `after`, `limit` at most.
    async fn answers_sealed_with(
        &self,
        key_id: &str,
        after: Option<&SecretHash>,
        limit: u32,
    ) -> StoreResult<Vec<SealedAnswer>>;

    /// Replaces an answer by the same one sealed anew. `false` when it is no longer this one.
    async fn reencrypt_answer(&self, old: &SealedAnswer, sealed_body: &str) -> StoreResult<bool>;
}

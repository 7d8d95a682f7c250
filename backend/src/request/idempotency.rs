//! Requests that a client may repeat without their being carried out twice: it names each by an
//! `Idempotency-Key`.
//!
//! A success is kept for a day, sealed, and given again. What has certainly not been done, since it was
//! refused, is not kept: the same request is carried out anew. Whatever else failed is kept like a success:
//! its answer from the provider was lost, or is a failure of the provider's own, which comes after the deed,
//! too. Done again, it could be done twice.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BoxBody, to_bytes};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use connection_store::{NewRequest, Repetition, SecretHash, Store, StoreResult};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::ErrorCode;
use token_vault::{Context, Vault};
use tokio::time::timeout;
use uuid::Uuid;

use super::route_pattern;
use crate::api_error::ApiError;
use crate::caller::Caller;
use crate::request::carry_out;
use domain::clock::Clock;
use domain::persist;

/// The header that names a request.
pub(crate) const KEY_HEADER: &str = "Idempotency-Key";

/// The header that marks an answer that was given before.
pub(crate) const REPLAYED_HEADER: &str = "Idempotent-Replayed";

/// Longest key.
pub(crate) const KEY_MAX: usize = 255;

/// Time for which an answer is kept.
const LIFE: SignedDuration = SignedDuration::from_hours(24);

/// Bounds an answer's wait for its claim to be forgotten, which takes a moment unless the database is away.
const FORGOTTEN_IN: Duration = Duration::from_secs(1);

/// Keeps the answers.
pub(crate) struct Idempotency {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    /// Time that a request may take before it counts as cut off.
    lease: SignedDuration,
}

/// A request as the store knows it.
struct Named {
    /// Whose it is, where it goes and how the client calls it.
    name: SecretHash,
    /// Hash of the request's content.
    request: SecretHash,
    owner: String,
    /// Names the claim of this one call.
    claim: String,
}

/// Fate of a request when the process that carries it out dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CutOff {
    /// The same request is carried out anew: it is of no harm, or is refused.
    DoAgain,
    /// Nobody knows whether it was done: it is not carried out again under this key.
    Leave,
}

impl Idempotency {
    /// From its parts.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        lease: SignedDuration,
    ) -> Self {
        Self { store, vault, clock, lease }
    }

    /// Does `work`, unless this caller has asked for exactly this before under the same key; then gives the same answer again.
    /// Without a key, just does it.
    ///
    /// `asked` is what stands in the request's body. The work goes on when the client hangs up: with a key, a client that comes back
    /// finds the answer.
    ///
    /// # Errors
    /// `invalid_request` for a key that is none; `validation_failed` for one that came with another request; `unavailable` while
    /// the same request is carried out; those of `work`.
    pub(crate) async fn once(
        self: &Arc<Self>,
        request: &HttpRequest,
        caller: &Caller,
        asked: &impl Serialize,
        cut_off: CutOff,
        work: impl Future<Output = Result<HttpResponse, ApiError>> + 'static,
    ) -> Result<HttpResponse, ApiError> {
        let Some(key) = key(request)? else { return carry_out(request, work).await };
        let named = Named::new(request, caller, key, asked)?;
        let (kept, this) = (Arc::clone(self), request.clone());
        let task = async move {
            let begun = kept.begin(&named, cut_off).await;
            if begun.is_err() {
                // It may have been claimed all the same, and nobody carries it out.
                kept.forget(&this, &named).await;
            }
            match begun? {
                Repetition::First => kept.keep(&this, &named, work.await).await,
                Repetition::Running => Err(ApiError::still_running()),
                Repetition::Different => {
                    Err(ApiError::validation([(KEY_HEADER, "This key came with another request before")]))
                }
                Repetition::Answered { status, sealed_body } => kept.replay(&named, status, &sealed_body),
            }
        };
        carry_out(request, task).await
    }

    async fn begin(&self, named: &Named, cut_off: CutOff) -> StoreResult<Repetition> {
        let now = self.clock.now();
        let expires_at = now + LIFE;
        let lease_until = match cut_off {
            CutOff::DoAgain => now + self.lease,
            CutOff::Leave => expires_at,
        };
        let Named { name, request, owner, claim } = named;
        let (name, request_hash, owner, claim) = (*name, *request, owner.clone(), claim.clone());
        let request = NewRequest { name, claim, request_hash, owner, lease_until, expires_at };
        self.store.begin_request(request, now).await
    }

    /// Keeps what came of a request, if it is worth it. The request has been carried out: what fails here fails in the log.
    async fn keep(
        &self,
        request: &HttpRequest,
        named: &Named,
        outcome: Result<HttpResponse, ApiError>,
    ) -> Result<HttpResponse, ApiError> {
        match outcome {
            Ok(response) if response.status().is_success() => {
                let (head, body) = response.into_parts();
                let body = to_bytes(body).await.map_err(|error| ApiError::internal(error.to_string()))?;
                self.store_answer(named, head.status(), &body).await;
                Ok(head.set_body(BoxBody::new(body)))
            }
            Err(unsettled) if unsettled.may_be_done() => {
                let (code, error) = (unsettled.code(), unsettled.sentence().to_owned());
                let body = serde_json::to_vec(&Unsettled { code, error }).map_err(ApiError::internal)?;
                self.store_answer(named, unsettled.status_code(), &body).await;
                Err(unsettled)
            }
            refused => {
                self.forget(request, named).await;
                refused
            }
        }
    }

    /// Forgets a claim, since nothing was done. While the database is away this goes on behind the answer: left behind, the
    /// claim would refuse the same request for as long as a day.
    async fn forget(&self, request: &HttpRequest, named: &Named) {
        let (store, name, claim) = (Arc::clone(&self.store), named.name, named.claim.clone());
        let forget = async move {
            let forgotten = persist(|| store.forget_request(&name, &claim)).await;
            forgotten.map_err(ApiError::from).inspect_err(ApiError::log)
        };
        let _ = timeout(FORGOTTEN_IN, carry_out(request, forget)).await;
    }

    /// Does not give up at once where the store fails: without its answer, the same request would be carried out anew, or left.
    async fn store_answer(&self, named: &Named, status: StatusCode, body: &[u8]) {
        let sealed = self.vault.seal(body, &Context { purpose: PURPOSE, subject: &subject(&named.name) });
        let store = || self.store.answer_request(&named.name, status.as_u16(), &sealed);
        if let Err(error) = persist(store).await {
            ApiError::from(error).log();
        }
    }

    /// The body alone is given again, never a cookie: there is none among what is kept.
    fn replay(&self, named: &Named, status: u16, sealed_body: &str) -> Result<HttpResponse, ApiError> {
        let context = Context { purpose: PURPOSE, subject: &subject(&named.name) };
        let body = self.vault.open(sealed_body, &context).map_err(ApiError::internal)?;
        let status = StatusCode::from_u16(status).map_err(ApiError::internal)?;
        if !status.is_success() {
            let Unsettled { code, error } = serde_json::from_slice(&body).map_err(ApiError::internal)?;
            return Err(ApiError::new(code, error));
        }
        let mut response = HttpResponse::build(status);
        response.insert_header((REPLAYED_HEADER, "true")).content_type("application/json");
        Ok(response.body(body.to_vec()))
    }

    /// Tells whether any answer is sealed with this key.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(crate) async fn are_sealed_with(store: &dyn Store, key_id: &str) -> StoreResult<bool> {
        Ok(!store.answers_sealed_with(key_id, None, 1).await?.is_empty())
    }

    /// Seals anew, with the key that is first now, a page of the answers that are sealed with this one. Returns the name of the
    /// last of them; `None` when there are no more. What does not open is left as it is.
    ///
    /// # Errors
    /// When the store does not answer; what was sealed until then stays so.
    pub(crate) async fn reencrypt(
        &self,
        key_id: &str,
        after: Option<&SecretHash>,
        limit: u32,
    ) -> StoreResult<Option<SecretHash>> {
        let answers = self.store.answers_sealed_with(key_id, after, limit).await?;
        for answer in &answers {
            let context = Context { purpose: PURPOSE, subject: &subject(&answer.name) };
            if let Ok(anew) = self.vault.reencrypt(&answer.sealed_body, &context) {
                self.store.reencrypt_answer(answer, &anew).await?;
            }
        }
        Ok(answers.last().map(|last| last.name))
    }
}

/// A failure that is kept: what was asked for may have been done.
#[derive(Serialize, Deserialize)]
struct Unsettled {
    code: ErrorCode,
    error: String,
}

/// Purpose that a sealed answer is bound to, beside the request's name.
const PURPOSE: &str = "idempotency.answer";

impl Named {
    fn new(
        request: &HttpRequest,
        caller: &Caller,
        key: &str,
        asked: &impl Serialize,
    ) -> Result<Self, ApiError> {
        let (kind, id) = caller.identity();
        let route = request
            .match_pattern()
            .map(|pattern| route_pattern::for_provider(&pattern, request))
            .unwrap_or_default();
        let target = request.uri().path_and_query().map_or("", |target| target.as_str());
        let body = serde_json::to_vec(asked).map_err(ApiError::internal)?;
        Ok(Self {
            owner: caller.owner(),
            claim: Uuid::new_v4().to_string(),
            name: hash([kind.as_bytes(), id.as_bytes(), route.as_bytes(), key.as_bytes()]),
            request: hash([target.as_bytes(), &body]),
        })
    }
}

fn subject(name: &SecretHash) -> String {
    name.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Each part has its length in front, so that no two lists of parts are one text.
fn hash<const PARTS: usize>(parts: [&[u8]; PARTS]) -> SecretHash {
    let hashed = parts.iter().fold(Sha256::new(), |hash, part| {
        hash.chain_update((part.len() as u64).to_le_bytes()).chain_update(part)
    });
    hashed.finalize().into()
}

/// The key that a request has, if any: 1 to 255 visible ASCII characters.
fn key(request: &HttpRequest) -> Result<Option<&str>, ApiError> {
    let mut given = request.headers().get_all(KEY_HEADER);
    let Some(first) = given.next() else { return Ok(None) };
    let is_key =
        |text: &&str| (1..=KEY_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    match (first.to_str().ok().filter(is_key), given.next()) {
        (Some(key), None) => Ok(Some(key)),
        _ => Err(ApiError::invalid_request(
            "Idempotency-Key is one text of 1 to 255 visible ASCII characters.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(hash([b"ab", b"c"]), hash([b"a", b"bc"]));
        assert_eq!(hash([b"ab", b"c"]), hash([b"ab", b"c"]));
    }
}

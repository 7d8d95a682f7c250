//! Finding out who asks: by the key or the session that a request shows.

use std::sync::Arc;

use actix_web::cookie::Cookie;
use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use connection_store::{SecretHash, Store};
use domain::clock::Clock;
use domain::user_id::is_local;
use futures_util::future::LocalBoxFuture;
use jiff::{SignedDuration, Timestamp};
use shared::Scope;
use subtle::ConstantTimeEq;

use super::{Caller, KeyInfo, KeyKind, Proof, SessionCookie, bearer_key, has_bearer_key};
use crate::api_error::ApiError;

/// Bounds the life of a session without use, and that of a host application's user at all.
pub(crate) const SESSION_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A session is renewed when its last use was noted so long ago: using it stays a read, but for once a day.
const RENEW_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// A key's use is recorded when the last record is this old: using it stays a read, but for once a minute.
const TOUCH_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// Finds callers. One for all workers, which the application holds beside its state: the extractor looks for it there.
pub(crate) struct Callers {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    session_cookie: SessionCookie,
}

impl Callers {
    /// From its parts.
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, session_cookie: SessionCookie) -> Self {
        Self { store, clock, session_cookie }
    }

    /// The hash of the key or session that a request shows, whether or not there is such a one; `None` where it shows nothing
    /// that can be either.
    pub(crate) fn shown(&self, headers: &HeaderMap) -> Option<SecretHash> {
        if has_bearer_key(headers) {
            return bearer_key(headers).map(|key| key.hash());
        }
        self.session_cookie.read(headers).map(|token| token.hash())
    }

    /// Finds the caller of a request.
    ///
    /// # Errors
    /// `unauthenticated`, `unavailable`.
    pub(crate) async fn find(&self, request: &HttpRequest) -> Result<Caller, ApiError> {
        // A bearer key decides alone. Were it ignored beside a cookie, sending one would switch off the cross-site check.
        if has_bearer_key(request.headers()) {
            return self.with_key(request.headers()).await;
        }
        let token = self.session_cookie.read(request.headers()).ok_or_else(ApiError::unauthenticated)?;
        let hash = token.hash();
        let now = self.clock.now();
        let session = self.store.find_session(&hash, now).await?.ok_or_else(ApiError::unauthenticated)?;
        let end = session_end(&session.user_id, session.created_at, now);
        // The stored end can be later: an older version prolonged every session.
        if end <= now {
            return Err(ApiError::unauthenticated());
        }
        if now.duration_since(session.last_used_at) > RENEW_AFTER {
            // A database that can be read but not written now must not sign people out: next time will do.
            if self.store.renew_session(&hash, end, now).await.is_ok() {
                let cookie = self.session_cookie.write(&token, end.duration_since(now));
                request.extensions_mut().insert(RenewedSession(cookie));
            }
        }
        Ok(Caller(Proof::Session { hash, session }))
    }

    /// The caller that a key stands for. Whatever is wrong with it, the answer is one and the same.
    async fn with_key(&self, headers: &HeaderMap) -> Result<Caller, ApiError> {
        let key = bearer_key(headers).ok_or_else(ApiError::unauthenticated)?;
        let hash = key.hash();
        let found = self.store.find_api_key(&hash).await?;
        let found =
            found.filter(|found| found.key_hash.ct_eq(&hash).into()).ok_or_else(ApiError::unauthenticated)?;
        let now = self.clock.now();
        if found.expires_at.is_some_and(|end| end <= now) {
            return Err(ApiError::unauthenticated());
        }
        if found.last_used_at.is_none_or(|last| now.duration_since(last) >= TOUCH_AFTER) {
            // As with sessions: what cannot be recorded now is recorded the next time.
            if let Err(error) = self.store.touch_api_key(&found.id, now).await {
                ApiError::from(error).log();
            }
        }
        Ok(Caller(Proof::Key(KeyInfo {
            id: found.id,
            name: found.name,
            kind: found.user_id.map_or(KeyKind::Service, |user_id| KeyKind::Personal { user_id }),
            scopes: found.scopes.iter().filter_map(|scope| Scope::from_name(scope)).collect(),
        })))
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = request.extensions_mut().remove::<Identified>();
        let request = request.clone();
        Box::pin(async move {
            if let Some(Identified(found)) = known {
                return found;
            }
            let callers = request.app_data::<Data<Callers>>();
            callers
                .ok_or_else(|| ApiError::internal("the application knows no callers"))?
                .find(&request)
                .await
        })
    }
}

/// The caller of a request, or why there is none, as a middleware has found for the extractor.
pub(crate) struct Identified(pub(crate) Result<Caller, ApiError>);

/// A cookie to be sent along because the session was renewed.
pub(crate) struct RenewedSession(pub(crate) Cookie<'static>);

/// Returns the end of a session that is used now. Use prolongs the session of a local account. The session of a host
/// application's user keeps its end: the application signs its users in again.
pub(crate) fn session_end(user_id: &str, created_at: Timestamp, now: Timestamp) -> Timestamp {
    if is_local(user_id) { now + SESSION_LIFE } else { (now + SESSION_LIFE).min(created_at + SESSION_LIFE) }
}

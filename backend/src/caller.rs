//! Who is asking, and what they may do.

use std::future::Future;
use std::pin::Pin;

use actix_web::cookie::Cookie;
use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use connection_store::SecretHash;
use jiff::{SignedDuration, Timestamp};

use crate::app::AppState;
use crate::error::ApiError;
use crate::secret_token::SecretToken;

/// How long a session lives without use.
pub(crate) const SESSION_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A session is renewed when this much of its life is gone: using it stays a read, but for once a day.
const RENEW_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Somebody who has proved who they are. Handlers get their user only through this extractor.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    user_id: String,
    session: SecretHash,
}

/// What a caller wants to do. A browser session holds every scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Read connections.
    ConnectionsRead,
    /// Make and end connections.
    ConnectionsWrite,
}

impl Caller {
    /// The caller's own user id.
    pub(crate) fn user_id(&self) -> &str {
        &self.user_id
    }

    /// Which session this is, for ending it.
    pub(crate) fn session(&self) -> &SecretHash {
        &self.session
    }

    /// The user that a request is about, when the caller may do `scope` for them. `me` stands for the caller.
    ///
    /// # Errors
    /// `forbidden`, the same for another user and for nobody.
    pub(crate) fn authorize<'a>(&'a self, user_id: &'a str, scope: Scope) -> Result<&'a str, ApiError> {
        let is_self = user_id == "me" || user_id == self.user_id;
        match scope {
            Scope::ConnectionsRead | Scope::ConnectionsWrite if is_self => Ok(&self.user_id),
            Scope::ConnectionsRead | Scope::ConnectionsWrite => Err(ApiError::forbidden()),
        }
    }

    async fn find(request: HttpRequest) -> Result<Self, ApiError> {
        let state = state_of(&request)?;
        // A bearer key decides alone. Were it ignored beside a cookie, sending one would switch off the cross-site check.
        if has_bearer_key(request.headers()) {
            return Err(ApiError::unauthenticated());
        }
        let token = state.session_cookie.read(request.headers()).ok_or_else(ApiError::unauthenticated)?;
        let session = token.hash();
        let now = state.clock.now();
        let found = state.store.find_session(&session, now).await?.ok_or_else(ApiError::unauthenticated)?;
        if found.expires_at.duration_since(now) < SESSION_LIFE - RENEW_AFTER {
            // A database that can be read but not written now must not sign people out: next time will do.
            if state.store.renew_session(&session, session_end(now)).await.is_ok() {
                request.extensions_mut().insert(RenewedSession(state.session_cookie.write(&token)));
            }
        }
        Ok(Self { user_id: found.user_id, session })
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        Box::pin(Self::find(request.clone()))
    }
}

/// Whether a request shows a bearer key. Other schemes are not ours: a proxy in front may ask for them.
pub(crate) fn has_bearer_key(headers: &HeaderMap) -> bool {
    headers.get_all(header::AUTHORIZATION).any(|value| {
        let scheme = value.as_bytes().split(|&byte| byte == b' ').next().unwrap_or_default();
        scheme.eq_ignore_ascii_case(b"bearer")
    })
}

/// A cookie to be sent along because the session was renewed.
pub(crate) struct RenewedSession(pub(crate) Cookie<'static>);

/// The state of the application that a request arrived at.
pub(crate) fn state_of(request: &HttpRequest) -> Result<&Data<AppState>, ApiError> {
    request.app_data::<Data<AppState>>().ok_or_else(|| ApiError::internal("the application has no state"))
}

/// The session cookie's name and attributes.
#[derive(Clone, Debug)]
pub(crate) struct SessionCookie {
    secure: bool,
}

impl SessionCookie {
    /// `secure` when browsers come by https.
    pub(crate) fn new(secure: bool) -> Self {
        Self { secure }
    }

    fn name(&self) -> &'static str {
        // The prefix makes browsers refuse the cookie from a subdomain or over http (RFC 6265bis, 4.1.3.2).
        if self.secure { "__Host-session" } else { "session" }
    }

    /// The first cookie of exactly this name that can be a session. Names are compared as the browser sent them: decoding
    /// `__%48ost-session` first would undo what the prefix is for. Another program on the host may use the name, too.
    fn read(&self, headers: &HeaderMap) -> Option<SecretToken> {
        let pairs =
            headers.get_all(header::COOKIE).flat_map(|value| value.as_bytes().split(|&byte| byte == b';'));
        pairs
            .filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='))
            .filter(|(name, _)| *name == self.name())
            .find_map(|(_, value)| SecretToken::parse(value))
    }

    fn base(&self, value: String) -> actix_web::cookie::CookieBuilder<'static> {
        Cookie::build(self.name(), value)
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(actix_web::cookie::SameSite::Lax)
    }

    /// The cookie that opens or renews a session.
    pub(crate) fn write(&self, token: &SecretToken) -> Cookie<'static> {
        let seconds = SESSION_LIFE.as_secs();
        self.base(token.expose().to_owned())
            .max_age(actix_web::cookie::time::Duration::seconds(seconds))
            .finish()
    }

    /// The cookie that makes the browser forget.
    pub(crate) fn erase(&self) -> Cookie<'static> {
        self.base(String::new()).max_age(actix_web::cookie::time::Duration::ZERO).finish()
    }
}

/// When a session that starts now ends.
pub(crate) fn session_end(now: Timestamp) -> Timestamp {
    now + SESSION_LIFE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session_in(cookies: &[&'static [u8]], secure: bool) -> bool {
        let header =
            |bytes: &&'static [u8]| (header::COOKIE, header::HeaderValue::from_bytes(bytes).unwrap());
        SessionCookie::new(secure).read(&cookies.iter().map(header).collect()).is_some()
    }

    #[test]
    fn a_prefixed_cookie_is_read_by_its_literal_name_only() {
        assert!(session_in(&[b"__Host-session=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], true));
        assert!(!session_in(&[b"__%48ost-session=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], true));
        assert!(!session_in(&[b"session=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], true));
    }

    #[test]
    fn other_cookies_do_not_hide_the_session() {
        let ours = b"a=\xff; session=of-another-program; session=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        assert!(session_in(&[b"b=\xfe", ours], false));
    }

    #[test]
    fn a_caller_acts_for_nobody_else() {
        let caller = Caller { user_id: "usr_a".into(), session: [0; 32] };
        for scope in [Scope::ConnectionsRead, Scope::ConnectionsWrite] {
            assert_eq!(caller.authorize("me", scope).unwrap(), "usr_a");
            assert_eq!(caller.authorize("usr_a", scope).unwrap(), "usr_a");
            for other in ["usr_b", "", "USR_A", "usr_a ", "Me"] {
                assert!(caller.authorize(other, scope).is_err(), "{other:?}");
            }
        }
    }
}

//! Who is asking, and what they may do.

use std::future::Future;
use std::pin::Pin;

use actix_web::cookie::Cookie;
use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use connection_store::{SecretHash, Session};
use domain::SecretToken;
use domain::user_id::{host_user_id, is_local, public_user_id};
use jiff::{SignedDuration, Timestamp};
use shared::{Scope, validation};
use subtle::ConstantTimeEq;

use crate::api_key::ApiKeyText;
use crate::app::AppState;
use crate::cookies;
use crate::error::ApiError;

/// Bounds the life of a session without use, and that of a host application's user at all.
pub(crate) const SESSION_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A session is renewed when its last use was noted so long ago: using it stays a read, but for once a day.
const RENEW_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// A key's use is recorded when the last record is this old: using it stays a read, but for once a minute.
const TOUCH_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// Somebody who has proved who they are. Handlers get their user only through this extractor.
#[derive(Clone, Debug)]
pub(crate) struct Caller(Proof);

/// How they proved it.
#[derive(Clone, Debug)]
enum Proof {
    Session { hash: SecretHash, session: Session },
    Key(KeyInfo),
}

/// The key that a caller showed; not the key itself.
#[derive(Clone, Debug)]
pub(crate) struct KeyInfo {
    /// Names it in the log.
    pub(crate) id: String,
    /// What its owner calls it.
    pub(crate) name: String,
    /// For whom it acts.
    pub(crate) kind: KeyKind,
    scopes: Vec<Scope>,
}

/// For whom a key acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// For the user who made it, by their stored id.
    Personal {
        /// Who made it.
        user_id: String,
    },
    /// For any user of the host application, and for no local account.
    Service,
}

impl Caller {
    /// The user that a request is about, by the id that is stored, when the caller may do `scope` for them. `me` stands for
    /// the caller; a service key has no `me`. A service key names the host's users by the host's own ids, see
    /// [`host_user_id`].
    ///
    /// # Errors
    /// `forbidden`, the same for another user and for nobody.
    pub(crate) fn authorize(&self, user_id: &str, scope: Scope) -> Result<String, ApiError> {
        if !self.holds(scope) {
            return Err(ApiError::forbidden());
        }
        match self.own_id() {
            Some(own) if user_id == "me" || user_id == public_user_id(own) => Ok(own.to_owned()),
            None if validation::host_user_id(user_id).is_none() => Ok(host_user_id(user_id).into_owned()),
            _ => Err(ApiError::forbidden()),
        }
    }

    /// Whether the caller may do this for anybody at all. A session does what a person does at the web app; Instagram's
    /// own token and other people's sessions are for programs.
    fn holds(&self, scope: Scope) -> bool {
        match &self.0 {
            Proof::Session { .. } => !matches!(scope, Scope::TokensRead | Scope::SessionsCreate),
            Proof::Key(key) => key.scopes.contains(&scope),
        }
    }

    /// The stored id of the one user that the caller acts for; `None` for a service key.
    fn own_id(&self) -> Option<&str> {
        match &self.0 {
            Proof::Session { session, .. } => Some(&session.user_id),
            Proof::Key(KeyInfo { kind: KeyKind::Personal { user_id }, .. }) => Some(user_id),
            Proof::Key(KeyInfo { kind: KeyKind::Service, .. }) => None,
        }
    }

    /// What tells callers apart, kind and id: the key, or the user of a session, so that all browsers of a person are one.
    pub(crate) fn identity(&self) -> (&'static str, &str) {
        match &self.0 {
            Proof::Session { session, .. } => ("user", &session.user_id),
            Proof::Key(key) => ("key", &key.id),
        }
    }

    /// Who loses what is kept for this caller when their account goes: the user, or the service key.
    pub(crate) fn owner(&self) -> String {
        match &self.0 {
            Proof::Session { session, .. } => session.user_id.clone(),
            Proof::Key(KeyInfo { kind: KeyKind::Personal { user_id }, .. }) => user_id.clone(),
            Proof::Key(KeyInfo { kind: KeyKind::Service, id, .. }) => format!("key:{id}"),
        }
    }

    /// Which key this is, where it is one.
    pub(crate) fn key(&self) -> Option<&KeyInfo> {
        match &self.0 {
            Proof::Session { .. } => None,
            Proof::Key(key) => Some(key),
        }
    }

    /// What is known of the session, for what only a person may do: managing keys, sessions and the account. Who is signed
    /// in, by the stored id, is in it.
    ///
    /// # Errors
    /// `forbidden` for a key.
    pub(crate) fn signed_in(&self) -> Result<&Session, ApiError> {
        Ok(self.require_session()?.0)
    }

    /// The same, and by which hash the store knows the session.
    ///
    /// # Errors
    /// `forbidden` for a key.
    pub(crate) fn require_session(&self) -> Result<(&Session, &SecretHash), ApiError> {
        match &self.0 {
            Proof::Session { hash, session } => Ok((session, hash)),
            Proof::Key(_) => Err(ApiError::not_for_keys()),
        }
    }

    /// For what only the host application may do.
    ///
    /// # Errors
    /// `forbidden` for whatever is not a service key with this scope.
    pub(crate) fn require_service(&self, scope: Scope) -> Result<(), ApiError> {
        let is_service = self.key().is_some_and(|key| key.kind == KeyKind::Service);
        if is_service && self.holds(scope) { Ok(()) } else { Err(ApiError::forbidden()) }
    }

    /// The hash of the key or session that a request shows, whether or not there is such a one; `None` where it shows nothing
    /// that can be either.
    ///
    /// # Errors
    /// `internal`.
    pub(crate) fn shown(request: &HttpRequest) -> Result<Option<SecretHash>, ApiError> {
        let headers = request.headers();
        if has_bearer_key(headers) {
            return Ok(bearer_key(headers).map(|key| key.hash()));
        }
        Ok(state_of(request)?.session_cookie.read(headers).map(|token| token.hash()))
    }

    /// Whose request this is.
    ///
    /// # Errors
    /// `unauthenticated`, `unavailable`.
    pub(crate) async fn find(request: &HttpRequest) -> Result<Self, ApiError> {
        let state = state_of(request)?;
        // A bearer key decides alone. Were it ignored beside a cookie, sending one would switch off the cross-site check.
        if has_bearer_key(request.headers()) {
            return Self::with_key(state, request.headers()).await;
        }
        let token = state.session_cookie.read(request.headers()).ok_or_else(ApiError::unauthenticated)?;
        let hash = token.hash();
        let now = state.clock.now();
        let session = state.store.find_session(&hash, now).await?.ok_or_else(ApiError::unauthenticated)?;
        let end = session_end(&session.user_id, session.created_at, now);
        // What is stored can be later: an older version prolonged every session.
        if end <= now {
            return Err(ApiError::unauthenticated());
        }
        if now.duration_since(session.last_used_at) > RENEW_AFTER {
            // A database that can be read but not written now must not sign people out: next time will do.
            if state.store.renew_session(&hash, end, now).await.is_ok() {
                let cookie = state.session_cookie.write(&token, end.duration_since(now));
                request.extensions_mut().insert(RenewedSession(cookie));
            }
        }
        Ok(Self(Proof::Session { hash, session }))
    }

    /// The caller that a key stands for. Whatever is wrong with it, the answer is one and the same.
    async fn with_key(state: &AppState, headers: &HeaderMap) -> Result<Self, ApiError> {
        let key = bearer_key(headers).ok_or_else(ApiError::unauthenticated)?;
        let hash = key.hash();
        let found = state.store.find_api_key(&hash).await?;
        let found =
            found.filter(|found| found.key_hash.ct_eq(&hash).into()).ok_or_else(ApiError::unauthenticated)?;
        let now = state.clock.now();
        if found.expires_at.is_some_and(|end| end <= now) {
            return Err(ApiError::unauthenticated());
        }
        if found.last_used_at.is_none_or(|last| now.duration_since(last) >= TOUCH_AFTER) {
            // As with sessions: what cannot be recorded now is recorded the next time.
            if let Err(error) = state.store.touch_api_key(&found.id, now).await {
                ApiError::from(error).log();
            }
        }
        Ok(Self(Proof::Key(KeyInfo {
            id: found.id,
            name: found.name,
            kind: found.user_id.map_or(KeyKind::Service, |user_id| KeyKind::Personal { user_id }),
            scopes: found.scopes.iter().filter_map(|scope| Scope::from_name(scope)).collect(),
        })))
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = request.extensions_mut().remove::<Identified>();
        let request = request.clone();
        Box::pin(async move {
            match known {
                Some(Identified(found)) => found,
                None => Self::find(&request).await,
            }
        })
    }
}

/// Whose request this is, found out by a middleware for the extractor.
pub(crate) struct Identified(pub(crate) Result<Caller, ApiError>);

/// Whether a request shows a bearer key. Other schemes are not ours: a proxy in front may ask for them.
pub(crate) fn has_bearer_key(headers: &HeaderMap) -> bool {
    bearer_credentials(headers).next().is_some()
}

/// The key that a request shows; `None` when it is none of ours, or one of several.
pub(crate) fn bearer_key(headers: &HeaderMap) -> Option<ApiKeyText> {
    let mut shown = bearer_credentials(headers);
    let (first, None) = (shown.next()?, shown.next()) else { return None };
    ApiKeyText::parse(std::str::from_utf8(first).ok()?.trim_matches(' '))
}

/// What stands behind each `Bearer` (RFC 6750, 2.1; the scheme's name in any case, RFC 9110, 11.1).
fn bearer_credentials(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers.get_all(header::AUTHORIZATION).filter_map(|value| {
        let mut parts = value.as_bytes().splitn(2, |&byte| byte == b' ');
        let is_bearer = parts.next().unwrap_or_default().eq_ignore_ascii_case(b"bearer");
        is_bearer.then(|| parts.next().unwrap_or_default())
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

    /// What browsers call it.
    pub(crate) fn name(&self) -> &'static str {
        // The prefix makes browsers refuse the cookie from a subdomain or over http (RFC 6265bis, 4.1.3.2). The
        // rest is a name of our own: cookies know hosts and not ports, and other programs call theirs `session`.
        if self.secure { "__Host-connect_session" } else { "connect_session" }
    }

    /// The first cookie of this name that can be a session.
    pub(crate) fn read(&self, headers: &HeaderMap) -> Option<SecretToken> {
        cookies::values(headers, self.name()).find_map(SecretToken::parse)
    }

    fn base(&self, value: String) -> actix_web::cookie::CookieBuilder<'static> {
        Cookie::build(self.name(), value)
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(actix_web::cookie::SameSite::Lax)
    }

    /// The cookie that opens or renews a session with so much life left.
    pub(crate) fn write(&self, token: &SecretToken, life: SignedDuration) -> Cookie<'static> {
        self.base(token.expose().to_owned())
            .max_age(actix_web::cookie::time::Duration::seconds(life.as_secs()))
            .finish()
    }

    /// The cookie that makes the browser forget.
    pub(crate) fn erase(&self) -> Cookie<'static> {
        self.base(String::new()).max_age(actix_web::cookie::time::Duration::ZERO).finish()
    }
}

/// Returns the end of a session that is used now. Use prolongs the session of a local account. The session of a host
/// application's user keeps its end: the application signs its users in again.
pub(crate) fn session_end(user_id: &str, created_at: Timestamp, now: Timestamp) -> Timestamp {
    if is_local(user_id) { now + SESSION_LIFE } else { (now + SESSION_LIFE).min(created_at + SESSION_LIFE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session_of(user_id: &str) -> Caller {
        let at = Timestamp::UNIX_EPOCH;
        let session = Session {
            id: "ses_a".into(),
            user_id: user_id.into(),
            name: None,
            user_agent: None,
            created_at: at,
            last_used_at: at,
            expires_at: at,
        };
        Caller(Proof::Session { hash: [0; 32], session })
    }

    fn key(kind: KeyKind, scopes: &[Scope]) -> Caller {
        Caller(Proof::Key(KeyInfo { id: "key_a".into(), name: "a".into(), kind, scopes: scopes.to_vec() }))
    }

    const READ: Scope = Scope::ConnectionsRead;

    #[test]
    fn a_service_key_acts_for_a_hosts_users_only() {
        let service = key(KeyKind::Service, &[READ]);
        assert_eq!(service.authorize("user-123", READ).unwrap(), "user-123");
        assert_eq!(service.authorize("usr_a", READ).unwrap(), "host:usr_a");
        assert_eq!(service.authorize("host:usr_a", READ).unwrap(), "host:host:usr_a");
        for nobody in ["", "me", "a\n", &"a".repeat(201)] {
            assert!(service.authorize(nobody, READ).is_err(), "{nobody:?}");
        }
        assert!(service.authorize("user-123", Scope::ConnectionsWrite).is_err());
    }

    #[test]
    fn a_person_is_named_as_their_own_application_names_them() {
        assert_eq!(session_of("usr_a").authorize("usr_a", READ).unwrap(), "usr_a");
        let of_host = session_of("host:usr_a");
        for own in ["me", "usr_a"] {
            assert_eq!(of_host.authorize(own, READ).unwrap(), "host:usr_a");
        }
        assert!(of_host.authorize("host:usr_a", READ).is_err(), "that is another of the host's users");
        assert!(session_of("usr_a").authorize("host:usr_a", READ).is_err());
        let personal = key(KeyKind::Personal { user_id: "usr_a".into() }, &[READ]);
        assert_eq!(personal.authorize("me", READ).unwrap(), "usr_a");
        assert!(personal.authorize("usr_b", READ).is_err());
        assert!(personal.authorize("me", Scope::ConnectionsWrite).is_err());
    }

    #[test]
    fn only_service_keys_speak_for_the_host() {
        let create = Scope::SessionsCreate;
        assert!(key(KeyKind::Service, &[create]).require_service(create).is_ok());
        assert!(key(KeyKind::Service, &[READ]).require_service(create).is_err());
        assert!(
            key(KeyKind::Personal { user_id: "usr_a".into() }, &[create]).require_service(create).is_err()
        );
        assert!(session_of("usr_a").require_service(create).is_err());
        assert!(session_of("usr_a").authorize("me", Scope::TokensRead).is_err());
    }

    #[test]
    fn one_bearer_key_at_a_time() {
        let text = ApiKeyText::generate();
        let shown = |values: &[String]| {
            let value = |text: &String| (header::AUTHORIZATION, header::HeaderValue::from_str(text).unwrap());
            let mut headers = HeaderMap::new();
            values.iter().map(value).for_each(|(name, value)| headers.append(name, value));
            (has_bearer_key(&headers), bearer_key(&headers).is_some())
        };
        let bearer = format!("bEARER {}", text.expose());
        assert_eq!(shown(std::slice::from_ref(&bearer)), (true, true));
        assert_eq!(shown(&[format!("Bearer   {}", text.expose())]), (true, true));
        assert_eq!(shown(&["Basic YTpi".into(), bearer.clone()]), (true, true));
        assert_eq!(shown(&[bearer.clone(), bearer]), (true, false));
        assert_eq!(shown(&["Bearer".into()]), (true, false));
        assert_eq!(shown(&[text.expose().to_owned()]), (false, false));
    }

    fn session_in(cookies: &[&'static [u8]], secure: bool) -> bool {
        let header =
            |bytes: &&'static [u8]| (header::COOKIE, header::HeaderValue::from_bytes(bytes).unwrap());
        SessionCookie::new(secure).read(&cookies.iter().map(header).collect()).is_some()
    }

    #[test]
    fn a_prefixed_cookie_is_read_by_its_literal_name_only() {
        assert!(session_in(&[b"__Host-connect_session=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], true));
        assert!(!session_in(
            &[b"__%48ost-connect_session=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
            true
        ));
        assert!(!session_in(&[b"connect_session=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], true));
    }

    #[test]
    fn other_cookies_do_not_hide_the_session() {
        let ours = b"a=\xff; connect_session=x; connect_session=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        assert!(session_in(&[b"b=\xfe", ours], false));
        assert!(!session_in(&[b"session=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], false), "anybody's");
    }

    #[test]
    fn a_caller_acts_for_nobody_else() {
        let caller = session_of("usr_a");
        for scope in [Scope::ConnectionsRead, Scope::ConnectionsWrite] {
            assert_eq!(caller.authorize("me", scope).unwrap(), "usr_a");
            assert_eq!(caller.authorize("usr_a", scope).unwrap(), "usr_a");
            for other in ["usr_b", "", "USR_A", "usr_a ", "Me"] {
                assert!(caller.authorize(other, scope).is_err(), "{other:?}");
            }
        }
    }
}

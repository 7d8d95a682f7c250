//! The cookie of a browser's session.

use actix_web::cookie::Cookie;
use actix_web::http::header::HeaderMap;
use domain::SecretToken;
use jiff::SignedDuration;

use super::cookies;

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

    /// Returns the cookie's name in browsers.
    pub(crate) fn name(&self) -> &'static str {
        // The prefix makes browsers refuse the cookie from a subdomain or over http (RFC 6265bis, 4.1.3.2). The
        // rest is a name of our own: cookies know hosts and not ports, and other programs call theirs `session`.
        if self.secure { "__Host-connect_session" } else { "connect_session" }
    }

    /// The first cookie of this name that can be a session.
    pub(crate) fn read(&self, headers: &HeaderMap) -> Option<SecretToken> {
        cookies::values(headers, self.name()).find_map(SecretToken::parse)
    }

    /// The cookie that opens or renews a session with so much life left.
    pub(crate) fn write(&self, token: &SecretToken, life: SignedDuration) -> Cookie<'static> {
        cookies::build(self.name(), token.expose().to_owned(), self.secure)
            .max_age(actix_web::cookie::time::Duration::seconds(life.as_secs()))
            .finish()
    }

    /// The cookie that makes the browser forget.
    pub(crate) fn erase(&self) -> Cookie<'static> {
        cookies::build(self.name(), String::new(), self.secure)
            .max_age(actix_web::cookie::time::Duration::ZERO)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header;

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
}

//! Cookies as the browser sent them, and as this service sets them.

use actix_web::cookie::{Cookie, CookieBuilder, SameSite};
use actix_web::http::header::{self, HeaderMap};

/// The values of all cookies of exactly this name. Names are compared as they came: decoding `__%48ost-connect_session` first would undo
/// what the prefix is for. Another program on the host may use a name, too, so there can be several.
pub(crate) fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let pairs =
        headers.get_all(header::COOKIE).flat_map(|value| value.as_bytes().split(|&byte| byte == b';'));
    pairs
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='))
        .filter(move |(given, _)| *given == name)
        .map(|(_, value)| value)
}

/// A cookie of this service: for its own origin, and for no script.
pub(crate) fn build(name: &'static str, value: String, secure: bool) -> CookieBuilder<'static> {
    Cookie::build(name, value).path("/").http_only(true).secure(secure).same_site(SameSite::Lax)
}

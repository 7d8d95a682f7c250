//! Bearer keys, as a request shows them.

use actix_web::http::header::{self, HeaderMap};

use super::api_key::ApiKeyText;

/// Tells whether a request shows a bearer key. Other schemes are not ours: a proxy in front may ask for them.
pub(crate) fn has_bearer_key(headers: &HeaderMap) -> bool {
    bearer_credentials(headers).next().is_some()
}

/// The key that a request shows; `None` when it is none of ours, or one of several.
pub(crate) fn bearer_key(headers: &HeaderMap) -> Option<ApiKeyText> {
    let mut shown = bearer_credentials(headers);
    let (first, None) = (shown.next()?, shown.next()) else { return None };
    ApiKeyText::parse(std::str::from_utf8(first).ok()?.trim_matches(' '))
}

/// Returns the credentials after each `Bearer` (RFC 6750, 2.1; the scheme's name in any case, RFC 9110,
/// 11.1).
fn bearer_credentials(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers.get_all(header::AUTHORIZATION).filter_map(|value| {
        let mut parts = value.as_bytes().splitn(2, |&byte| byte == b' ');
        let is_bearer = parts.next().unwrap_or_default().eq_ignore_ascii_case(b"bearer");
        is_bearer.then(|| parts.next().unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
}

//! Telling a person's browser from a program by what it accepts.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{Accept, Header, Quality};

/// Tells whether a browser wants a page.
pub(crate) fn is_navigation(request: &HttpRequest) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD) && prefers_html(request)
}

/// Tells whether a client prefers `text/html` to JSON, as browsers do that show the answer.
pub(crate) fn prefers_html(request: &HttpRequest) -> bool {
    let Ok(accept) = Accept::parse(request) else { return false };
    preference(&accept, "text", "html") > preference(&accept, "application", "json")
}

/// Returns a client's preference for a media type: the quality that its most specific range gives (RFC 9110,
/// 12.5.1), and between equals, whether it was named at all or only allowed by a wildcard.
fn preference(accept: &Accept, kind: &str, subtype: &str) -> (Quality, u8) {
    let specificity = |range: &mime::Mime| match (range.type_().as_str(), range.subtype().as_str()) {
        (k, s) if k == kind && s == subtype => Some(2),
        (k, "*") if k == kind => Some(1),
        ("*", "*") => Some(0),
        _ => None,
    };
    let ranges = accept.iter().filter_map(|item| Some((specificity(&item.item)?, item.quality)));
    ranges.max().map_or((Quality::ZERO, 0), |(specificity, quality)| (quality, specificity))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header;
    use actix_web::test::TestRequest;

    #[test]
    fn browsers_navigate_and_programs_fetch() {
        let navigates = |accept: &str| {
            is_navigation(&TestRequest::get().insert_header((header::ACCEPT, accept)).to_http_request())
        };
        assert!(navigates("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(navigates("text/html"));
        assert!(navigates("text/html, */*"), "named beats allowed");
        for fetch in [
            "application/json",
            "*/*",
            "application/json, text/html;q=0.9",
            "text/html, application/json",
            ";;q=html",
        ] {
            assert!(!navigates(fetch), "{fetch}");
        }
        assert!(!is_navigation(&TestRequest::get().to_http_request()));
        assert!(!is_navigation(
            &TestRequest::post().insert_header((header::ACCEPT, "text/html")).to_http_request()
        ));
    }
}

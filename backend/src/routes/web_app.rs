//! The built web app, served from the backend's own origin (`FRONTEND_DIST`).

use std::io;
use std::path::Path;

use actix_files::Files;
use actix_web::dev::{ServiceRequest, ServiceResponse, fn_service};
use actix_web::http::header::{self, Accept, AcceptEncoding, Encoding, Header, HeaderValue, Quality};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use url::Url;

use crate::caller::state_of;
use crate::error::ApiError;

/// The app's one page: every path of the app answers with it.
pub(crate) struct AppPage {
    html: Bytes,
    /// The same, compressed; made by the build.
    brotli: Option<Bytes>,
    content_security_policy: HeaderValue,
}

/// Where Instagram keeps profile pictures.
const PICTURE_HOSTS: &str = "https://*.cdninstagram.com https://*.fbcdn.net https://*.fbsbx.com";

impl AppPage {
    /// Reads `index.html` of a built app. `graph_url`: where Instagram is; a stand-in serves its pictures itself.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn read(dist: &Path, graph_url: &Url) -> io::Result<Self> {
        let html = std::fs::read_to_string(dist.join("index.html"))?;
        let policy = content_security_policy(&html, graph_url);
        Ok(Self {
            content_security_policy: HeaderValue::from_str(&policy).map_err(io::Error::other)?,
            html: html.into(),
            brotli: std::fs::read(dist.join("index.html.br")).ok().map(Bytes::from),
        })
    }

    /// The page, compressed for clients that can read it.
    pub(crate) fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .insert_header((header::CONTENT_SECURITY_POLICY, self.content_security_policy.clone()))
            .insert_header(("cross-origin-opener-policy", "same-origin"))
            .insert_header((header::VARY, "accept-encoding"));
        match self.brotli.clone().filter(|_| accepts_brotli(request)) {
            Some(brotli) => response.insert_header((header::CONTENT_ENCODING, "br")).body(brotli),
            None => response.body(self.html.clone()),
        }
    }
}

/// Serves the app's files, and its page at every other path that a browser opens.
pub(crate) fn files(dist: &Path) -> Files {
    Files::new("/", dist)
        .try_compressed()
        .prefer_utf8(true)
        // Misses, methods, hidden names and the page itself are decided in one place, below.
        .use_hidden_files()
        .method_guard(actix_web::guard::fn_guard(|_| true))
        .path_filter(|path, head| matches!(head.method, Method::GET | Method::HEAD) && is_asset(path))
        .default_handler(fn_service(|request: ServiceRequest| async {
            let response = page_or_not_found(request.request());
            Ok(match response {
                Ok(response) => request.into_response(response),
                Err(error) => request.error_response(error),
            })
        }))
}

/// A file of the app other than its page.
fn is_asset(path: &Path) -> bool {
    let first = path.iter().next().map_or_else(Default::default, |part| part.to_string_lossy());
    let is_hidden = path.iter().any(|part| part.to_string_lossy().starts_with('.'));
    !first.is_empty() && !first.starts_with("index.html") && !is_hidden
}

fn page_or_not_found(request: &HttpRequest) -> Result<HttpResponse, ApiError> {
    let page = &state_of(request)?.app_page;
    let is_api = request.path().split('/').nth(1) == Some("api");
    match page {
        Some(page) if is_navigation(request) && !is_api => Ok(page.respond(request)),
        _ => Err(ApiError::not_found()),
    }
}

/// How long a served file may be kept: for ever when its name holds a hash of its content.
pub(crate) fn cache_control(response: &mut ServiceResponse<impl Sized>) {
    let is_asset =
        matches!(response.status(), StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED)
            && response.headers().contains_key(header::ETAG)
            && !response.headers().contains_key(header::CACHE_CONTROL);
    if is_asset {
        let value = if has_hash(response.request().path()) {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    }
}

/// Whether a name ends in the 16 hexadecimal digits that the build puts before (or between) its extensions.
fn has_hash(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split(['-', '.', '_']).any(|part| part.len() == 16 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Whether a browser wants a page.
pub(crate) fn is_navigation(request: &HttpRequest) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD) && prefers_html(request)
}

/// Whether a client prefers `text/html` to JSON, as browsers do that show what comes back.
pub(crate) fn prefers_html(request: &HttpRequest) -> bool {
    let Ok(accept) = Accept::parse(request) else { return false };
    preference(&accept, "text", "html") > preference(&accept, "application", "json")
}

/// How much a client wants a media type: the quality that its most specific range gives (RFC 9110, 12.5.1), and between
/// equals, whether it was named at all or only allowed by a wildcard.
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

fn accepts_brotli(request: &HttpRequest) -> bool {
    let supported = [Encoding::brotli(), Encoding::identity()];
    AcceptEncoding::parse(request)
        .is_ok_and(|accepted| accepted.negotiate(supported.iter()) == Some(Encoding::brotli()))
}

/// Allows what the page itself contains and Instagram's pictures; nothing inline but what was there at the build.
fn content_security_policy(html: &str, graph_url: &Url) -> String {
    let scripts = hashes(html, "script");
    let styles = hashes(html, "style");
    let pictures = match graph_url.origin().ascii_serialization() {
        real if real == instagram_client::DEFAULT_GRAPH_URL => PICTURE_HOSTS.to_owned(),
        stand_in => format!("{PICTURE_HOSTS} {stand_in}"),
    };
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{scripts}; style-src 'self'{styles}; \
         img-src 'self' data: {pictures}; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    )
}

/// CSP sources for the content of every inline element of this name.
fn hashes(html: &str, element: &str) -> String {
    let open = format!("<{element}");
    let close = format!("</{element}>");
    html.split(&open)
        .skip(1)
        .filter_map(|rest| rest.split_once('>')?.1.split_once(&close).map(|(content, _)| content))
        .filter(|content| !content.is_empty())
        .map(|content| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(content))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn exactly_the_inline_blocks_are_hashed() {
        let html = "<style>a{}</style><script type=module>x</script><script src=/y.js></script>";
        let policy = content_security_policy(html, &Url::parse("https://graph.instagram.com").unwrap());
        let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
        assert!(policy.contains(&format!("script-src 'self' 'wasm-unsafe-eval' {};", hash("x"))), "{policy}");
        assert!(policy.contains(&format!("style-src 'self' {};", hash("a{}"))), "{policy}");
        assert!(!policy.contains("unsafe-inline"));
        assert!(policy.contains(
            "img-src 'self' data: https://*.cdninstagram.com https://*.fbcdn.net https://*.fbsbx.com;"
        ));
    }

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        assert!(has_hash("/frontend-0123456789abcdef.js"));
        assert!(has_hash("/frontend-0123456789abcdef_bg.wasm"));
        assert!(!has_hash("/favicon.svg"));
        assert!(!has_hash("/frontend-0123456789abcde.js"));
    }
}

//! Pages for people: the small ones of a sentence or two that this service makes itself, without a script, and the web app.

mod web_app;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

pub(crate) use web_app::WebApp;

/// Begins with the colours of all pages that are made here, which are those of the web app.
const STYLE: &str = concat!(include_str!("page_tokens.css"), include_str!("page.css"));

/// A sign beside the words: the name of its style, and its drawing.
pub(crate) type Sign = (&'static str, &'static str);

/// Marks an answer that is a page for a person's browser, failures included: it keeps its body.
pub(crate) struct PageForPeople;

/// The sign of what is not known.
pub(crate) const UNKNOWN: Sign =
    ("unknown", r#"<path d="M7.5 7.5a2.5 2.5 0 1 1 3.6 2.3c-.7.4-1.1.9-1.1 1.7v.3M10 14.8v.2"/>"#);

/// The answer with such a page.
pub(crate) fn respond(status: StatusCode, html: String) -> HttpResponse {
    let mut response = HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, policy(STYLE)))
        .insert_header(("x-robots-tag", "noindex"))
        .body(html);
    response.extensions_mut().insert(PageForPeople);
    response
}

/// As [`respond`], for a page that asks something and posts the answer to this service, which then leads to this origin: browsers
/// apply the policy to where a form leads, too.
pub(crate) fn respond_with_form(html: String, leads_to: &str) -> HttpResponse {
    let mut response = respond(StatusCode::OK, html);
    let action = format!("form-action 'self' {leads_to}");
    let policy = policy(STYLE).replace("form-action 'none'", &action);
    let headers = response.headers_mut();
    if let Ok(policy) = header::HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Returns the content security policy of a page of this service with one style sheet and nothing else.
pub(crate) fn policy(style: &str) -> String {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
        STANDARD.encode(Sha256::digest(style))
    )
}

/// Text as HTML that shows it.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The page. All but the title is HTML already: nothing of it may come from a stranger unescaped.
pub(crate) fn html((class, sign): Sign, title: &str, text: &str, details: &str) -> String {
    format!(
        r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title} – Instagram Connect</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="same-origin">
<link rel="icon" href="data:,">
<style>{STYLE}</style>
</head>
<body>
<main>
<p class="brand">Instagram Connect</p>
<span class="mark {class}" aria-hidden="true"><svg viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">{sign}</svg></span>
<h1>{title}</h1>
{text}
{details}
</main>
</body>
</html>
"##
    )
}

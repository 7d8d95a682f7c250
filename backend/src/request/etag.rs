//! Naming an answer by its content, so that a client that has it already is not sent it again (RFC 9110, 8.8.3 and 13.1.2).

use actix_web::http::header::{self, ETag, EntityTag, Header, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::api_error::ApiError;

/// Names exactly these bytes: what stands between the quotes of `ETag`.
pub(crate) fn tag(bytes: &[u8]) -> String {
    STANDARD.encode(&Sha256::digest(bytes)[..18])
}

/// Tells whether a client says that it has the representation with this tag.
pub(crate) fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => request.headers().contains_key(header::IF_NONE_MATCH),
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}

/// An answer as JSON under its name, or nothing but the name to a client that has it. It is somebody's data: what a client keeps
/// of it, it keeps on its own account.
///
/// # Errors
/// `internal` when the answer cannot be written as JSON.
pub(crate) fn respond(request: &HttpRequest, answer: &impl Serialize) -> Result<HttpResponse, ApiError> {
    let body = serde_json::to_vec(answer).map_err(ApiError::internal)?;
    let tag = EntityTag::new_strong(tag(&body));
    let is_known = is_known(request, &tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    // Said here, since what has a tag and no word on keeping is taken for a file of the web app.
    response.insert_header((header::CACHE_CONTROL, "no-store")).insert_header(ETag(tag));
    Ok(if is_known { response.finish() } else { response.content_type("application/json").body(body) })
}

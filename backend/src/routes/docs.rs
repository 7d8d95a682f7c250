//! `/api/openapi.json` and `/api/docs`: the API's description of itself, for programs and for people.

use actix_web::http::header::{self, ETag, EntityTag};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::openapi::Representation;
use crate::openapi::errors::{ANYBODY, Errors};
use crate::request::etag;
use crate::state::AppState;

/// This description.
///
/// OpenAPI 3.1. Ask with `If-None-Match` to be sent it only when it has changed.
#[utoipa::path(
    method(get, head),
    path = "/api/openapi.json",
    operation_id = "getOpenApiDocument",
    tag = "Service",
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have.")),
    responses(
        (status = 200, description = "The document.", content_type = "application/json", body = utoipa::openapi::Object),
        (status = 304, description = "It is still the one that you have."),
        Errors<ANYBODY>,
    ),
)]
pub(super) async fn document(state: Data<AppState>, request: HttpRequest) -> HttpResponse {
    respond(&request, &state.documentation.json, "application/json", None)
}

/// The reference for people.
///
/// This description as a page. It needs no script and nothing from elsewhere.
#[utoipa::path(
    method(get, head),
    path = "/api/docs",
    operation_id = "getReference",
    tag = "Service",
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have.")),
    responses(
        (status = 200, description = "The page.", content_type = "text/html", body = String),
        (status = 304, description = "It is still the one that you have."),
        Errors<ANYBODY>,
    ),
)]
pub(super) async fn page(state: Data<AppState>, request: HttpRequest) -> HttpResponse {
    let documentation = &state.documentation;
    respond(&request, &documentation.page, "text/html; charset=utf-8", Some(&documentation.page_policy))
}

/// Answers with the representation, unless the client has it already. Everybody may keep it, and asks each
/// time whether it has changed.
fn respond(
    request: &HttpRequest,
    what: &Representation,
    media_type: &'static str,
    policy: Option<&str>,
) -> HttpResponse {
    let tag = EntityTag::new_strong(what.tag.clone());
    let is_known = etag::is_known(request, &tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::CACHE_CONTROL, "public, no-cache")).insert_header(ETag(tag));
    if let Some(policy) = policy {
        response.insert_header((header::CONTENT_SECURITY_POLICY, policy));
    }
    if is_known { response.finish() } else { response.content_type(media_type).body(what.body.clone()) }
}

//! `/auth/instagram/deauthorize` and `/auth/instagram/data-deletion`: what Meta tells about an account, and the page where a
//! person sees what became of their request.

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, Responder};
use connection_store::Deletion;
use serde::Serialize;
use shared::{ErrorCode, Provider};
use utoipa::ToSchema;

use super::deletion_page;
use crate::api_error::ApiError;
use crate::openapi::errors::{ANYBODY, BODY, CHANGE, Errors, STORED, just};
use crate::request::{FormBody, is_navigation};
use crate::routes::{Done, Success, success};
use crate::state::AppState;
use instagram_client::{SignedRequest, SignedRequestError};

const DATA_DELETION_PATH: &str = "/auth/instagram/data-deletion";

/// The form that Meta sends.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `FormBody` reads")]
#[schema(examples(json!({"signed_request": "c2lnbmF0dXJl….eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiJ9…"})))]
struct SignedForm {
    /// Two parts in base64url with a dot between them: the signature and what is signed.
    signed_request: String,
}

/// Meta tells that somebody removed the app.
#[utoipa::path(
    post,
    path = "/auth/instagram/deauthorize",
    operation_id = "deauthorize",
    tag = "Signals from Meta",
    request_body(content = SignedForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "Done.", body = Success<Done>),
        Errors<{ ANYBODY | BODY | STORED | CHANGE | just(&[ErrorCode::Forbidden, ErrorCode::NotConfigured]) }>,
    ),
)]
pub(crate) async fn deauthorize(state: Data<AppState>, form: FormBody) -> Result<impl Responder, ApiError> {
    state.connections.get(Provider::Instagram).deauthorize(&signed_request(&state, &form)?).await?;
    Ok(success(Done {}))
}

/// What Meta wants to hear: where the person can look, and under which code.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({"ok": true, "url": "https://connect.example.com/auth/instagram/data-deletion/k3v9x2", "confirmation_code": "k3v9x2"})))]
struct DeletionBegun {
    /// The page that shows how far the request is.
    url: String,
    /// The last part of its address.
    confirmation_code: String,
}

/// Meta tells that somebody wants their data deleted.
#[utoipa::path(
    post,
    path = DATA_DELETION_PATH,
    operation_id = "requestDataDeletion",
    tag = "Signals from Meta",
    request_body(content = SignedForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "Where the person sees what becomes of it.", body = Success<DeletionBegun>),
        Errors<{ ANYBODY | BODY | STORED | CHANGE | just(&[ErrorCode::Forbidden, ErrorCode::NotConfigured]) }>,
    ),
)]
pub(crate) async fn delete_data(state: Data<AppState>, form: FormBody) -> Result<impl Responder, ApiError> {
    let code =
        state.connections.get(Provider::Instagram).delete_data(&signed_request(&state, &form)?).await?;
    let [public_origin, _] = &state.origins;
    let url = format!("{public_origin}{DATA_DELETION_PATH}/{code}");
    Ok(success(DeletionBegun { url, confirmation_code: code }))
}

/// How far a request is, for programs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({"ok": true, "status": "in_progress", "requestedAt": "2026-11-23T15:00:27.871Z", "completedAt": null, "connections": 1})))]
struct DeletionStatus {
    /// `in_progress` or `completed`.
    #[schema(pattern = "^(in_progress|completed)$")]
    status: &'static str,
    /// When Meta passed the request on.
    requested_at: shared::Timestamp,
    /// When everything was deleted; `null` until then.
    #[schema(required)]
    completed_at: Option<shared::Timestamp>,
    /// How many connections it was about when it came: 0 where nothing was stored about the account. `null` where nobody
    /// counted, before this was.
    #[schema(required)]
    connections: Option<u64>,
}

/// How far a deletion is.
///
/// A page for a person, who needs no account here, and JSON for programs. Says nothing about whom it was for.
#[utoipa::path(
    method(get, head),
    path = "/auth/instagram/data-deletion/{code}",
    operation_id = "getDataDeletion",
    tag = "Signals from Meta",
    params(("code" = String, Path, description = "The confirmation code.", min_length = 1)),
    responses(
        (status = 200, description = "How far it is; a page for browsers.", content(
            (Success<DeletionStatus> = "application/json"),
            (String = "text/html"),
        )),
        Errors<{ ANYBODY | STORED | just(&[ErrorCode::NotFound]) }>,
    ),
)]
pub(crate) async fn deletion_status(
    state: Data<AppState>,
    request: HttpRequest,
    code: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let deletion = state.connections.get(Provider::Instagram).deletion(&code).await?;
    let mut response = if is_navigation(&request) {
        deletion_page::respond(&code, deletion.as_ref())
    } else {
        HttpResponse::Ok().json(success(status(&deletion.ok_or_else(ApiError::not_found)?)))
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

fn status(deletion: &Deletion) -> DeletionStatus {
    DeletionStatus {
        status: if deletion.completed_at.is_some() { "completed" } else { "in_progress" },
        requested_at: deletion.requested_at.into(),
        completed_at: deletion.completed_at.map(Into::into),
        connections: deletion.connections,
    }
}

/// The request, once its signature has proved to be Meta's.
fn signed_request(state: &AppState, form: &FormBody) -> Result<SignedRequest, ApiError> {
    let secrets = state
        .signing_secrets
        .as_ref()
        .map_err(|missing| ApiError::not_configured(Provider::Instagram, missing))?;
    let missing = || ApiError::invalid_request("The field signed_request is missing.");
    let text = form.field("signed_request").ok_or_else(missing)?;
    SignedRequest::parse(text, secrets).map_err(|error| match error {
        SignedRequestError::Malformed => {
            ApiError::invalid_request("The signed request cannot be understood.")
        }
        SignedRequestError::BadSignature => ApiError::bad_signature(),
    })
}

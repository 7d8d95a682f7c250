//! `/auth/instagram/deauthorize` and `/auth/instagram/data-deletion`: what Meta tells about an account, and the page where a
//! person sees what became of their request.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Responder};
use connection_store::Deletion;
use serde::Serialize;

use super::deletion_page;
use crate::app::AppState;
use crate::error::ApiError;
use crate::request_body::FormBody;
use crate::routes::{Done, resource, success, web_app};
use crate::signed_request::{SignedRequest, SignedRequestError};

const DATA_DELETION_PATH: &str = "/auth/instagram/data-deletion";

pub(in crate::routes) fn configure(app: &mut ServiceConfig) {
    app.service(resource("/auth/instagram/deauthorize", [(Method::POST, web::to(deauthorize))]));
    app.service(resource(DATA_DELETION_PATH, [(Method::POST, web::to(delete_data))]));
    app.service(resource(
        &format!("{DATA_DELETION_PATH}/{{code}}"),
        [(Method::GET, web::to(deletion_status)), (Method::HEAD, web::to(deletion_status))],
    ));
}

/// Meta tells that somebody removed the app.
async fn deauthorize(state: Data<AppState>, form: FormBody) -> Result<impl Responder, ApiError> {
    state.connections.deauthorize(&signed_request(&state, &form)?).await?;
    Ok(success(Done {}))
}

/// What Meta wants to hear: where the person can look, and under which code.
#[derive(Serialize)]
struct DeletionBegun {
    url: String,
    confirmation_code: String,
}

/// Meta tells that somebody wants their data deleted.
async fn delete_data(state: Data<AppState>, form: FormBody) -> Result<impl Responder, ApiError> {
    let code = state.connections.delete_data(&signed_request(&state, &form)?).await?;
    let [public_origin, _] = &state.origins;
    let url = format!("{public_origin}{DATA_DELETION_PATH}/{code}");
    Ok(success(DeletionBegun { url, confirmation_code: code }))
}

/// How far a request is, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeletionStatus {
    status: &'static str,
    requested_at: shared::Timestamp,
    completed_at: Option<shared::Timestamp>,
}

/// How far a request is: a page for a person, who needs no account here, and JSON for programs. Says nothing about whom it
/// was for.
async fn deletion_status(
    state: Data<AppState>,
    request: HttpRequest,
    code: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let deletion = state.connections.deletion(&code).await?;
    let mut response = if web_app::is_navigation(&request) {
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
    }
}

/// The request, once its signature has proved to be Meta's.
fn signed_request(state: &AppState, form: &FormBody) -> Result<SignedRequest, ApiError> {
    let secrets = state.signing_secrets.as_ref().map_err(|missing| ApiError::not_configured(missing))?;
    let missing = || ApiError::invalid_request("The field signed_request is missing.");
    let text = form.field("signed_request").ok_or_else(missing)?;
    SignedRequest::parse(text, secrets).map_err(|error| match error {
        SignedRequestError::Malformed => {
            ApiError::invalid_request("The signed request cannot be understood.")
        }
        SignedRequestError::BadSignature => ApiError::bad_signature(),
    })
}

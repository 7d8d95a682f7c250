//! `/api/integrations/{provider}/{userId}/proxy/{path}`: calls of the provider's API without having the token.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde_json::Value;
use shared::{ErrorCode, Scope};
use upstream::{ApiBody, ApiMethod};
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};

use crate::api_error::ApiError;
use crate::caller::Caller;
use crate::limits;
use crate::openapi::errors::{BODY, CALLER, CHANGE, Errors, QUERY, UPSTREAM, just};
use crate::openapi::{IdempotencyKey, OfProvider, UserId};
use crate::request::{CallerAndParameters, CutOff, carry_out};
use crate::state::AppState;
use domain::connections::{Forwarded, Parameters};
use domain::providers::rules;

use super::{Target, WhichConnection};

/// Codes that any of these may answer, beside the codes that a body or a change adds.
const FORWARDED: u64 = CALLER
    | QUERY
    | UPSTREAM
    | just(&[
        ErrorCode::MethodNotAllowed,
        ErrorCode::NeedsReauthorization,
        ErrorCode::NotConnected,
        ErrorCode::NotFound,
    ]);

/// The path at the provider, for the description: it is read as it came.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "its fields are read by the derive alone")]
struct GraphPath {
    /// The path below the version, as at the provider: `me` stands for the connection's account. At Instagram
    /// it is `me` or the id of a post, a comment or a container, then one of its edges.
    #[param(example = "me/media")]
    path: String,
}

/// What Graph answers, as it answers it: these are the fields that most answers have.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is passed on")]
#[schema(examples(json!({
    "data": [{"id": "18000000000000004", "caption": "New in: dub techno"}],
    "paging": {"cursors": {"before": "QVFI…", "after": "QVFJ…"}},
})))]
struct GraphAnswer {
    /// Of a single thing.
    #[schema(nullable = false)]
    id: Option<String>,
    /// Of a list.
    #[schema(value_type = Option<Vec<Object>>, nullable = false)]
    data: Option<Value>,
    /// Of a list: give `cursors.after` as the parameter `after` to read on.
    #[schema(value_type = Option<Object>, nullable = false)]
    paging: Option<Value>,
}

/// Graph's own parameters: these are some that there are.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is passed on")]
#[schema(examples(json!({"image_url": "https://wreckshop.com/new-in.jpg", "caption": "New in: dub techno"})))]
struct GraphParameters {
    /// Of a post.
    #[schema(nullable = false)]
    image_url: Option<String>,
    /// Of a post.
    #[schema(nullable = false)]
    caption: Option<String>,
    /// The container that is to be published.
    #[schema(nullable = false)]
    creation_id: Option<String>,
}

/// Reads from the provider with the token of the user's connection.
///
/// Paths of Instagram: `me`, and its `media`, `stories`, `insights`, `tags`, `content_publishing_limit` and,
/// with `messages:manage`, `conversations`; `{id}`, and its `children`, `comments`, `insights` and `replies`.
/// Paths of Spotify: `me`, and its `top/artists`, `top/tracks`, `playlists` and `following`; `playlists/{id}`
/// and its `items`; `artists/{id}`, `albums/{id}`, `tracks/{id}`; `search`. The version is the service's.
///
/// The query goes to the provider, but for tokens, secrets and what changes the call itself, which are
/// `invalid_request`, as are names with anything but letters, digits, `_` and the places of a list in them.
/// So is what the provider refuses, in its own words. The answer is the provider's, without the token in the
/// links to other pages: read on with the cursor.
#[utoipa::path(
    get,
    path = "/api/integrations/{provider}/{userId}/proxy/{path:.*}",
    operation_id = "readGraph",
    tag = "Proxy",
    security(("key" = ["connections:read"]), ("session" = [])),
    params(OfProvider, UserId, WhichConnection, GraphPath),
    responses(
        (status = 200, description = "The provider's answer.", body = GraphAnswer),
        Errors<FORWARDED>,
    ),
)]
pub(crate) async fn read(
    state: Data<AppState>,
    caller: Caller,
    target: Target,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let call = ProxiedCall::of(&request, &caller, target, ApiMethod::Get, None)?;
    carry_out(&request, call.forward(state)).await
}

/// Writes to Instagram with the token of the user's connection. Nothing is written to Spotify.
///
/// Paths: with `content:publish` `me/media` and `me/media_publish`; with `messages:manage` `me/messages`, `{id}/comments` and
/// `{id}/replies`. The parameters are in the query or in the body, as JSON or as a form.
///
/// A failure may be one of a call that was carried out all the same, and says so then: no answer came, or one
/// that cannot be read, Instagram failed itself, or it took a post for spam. Under an `Idempotency-Key` the
/// same is answered again, and nothing is asked of Instagram: look before you do it under another.
#[utoipa::path(
    post,
    path = "/api/integrations/{provider}/{userId}/proxy/{path:.*}",
    operation_id = "writeGraph",
    tag = "Proxy",
    security(("key" = ["content:publish"]), ("key" = ["messages:manage"]), ("session" = [])),
    params(OfProvider, UserId, WhichConnection, GraphPath, IdempotencyKey),
    request_body(content(
        (GraphParameters = "application/json"),
        (GraphParameters = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "The provider's answer.", body = GraphAnswer),
        Errors<{ FORWARDED | CHANGE | BODY | just(&[ErrorCode::ValidationFailed]) }>,
    ),
)]
pub(crate) async fn write(
    state: Data<AppState>,
    CallerAndParameters(caller, body): CallerAndParameters,
    target: Target,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let asked = body.clone();
    let call = ProxiedCall::of(&request, &caller, target, ApiMethod::Post, body)?;
    let work = {
        let state = Data::clone(&state);
        async move { Ok(HttpResponse::Ok().json(call.forward(state).await?.0)) }
    };
    state.idempotency.once(&request, &caller, &asked, CutOff::Leave, work).await
}

/// Deletes a comment at Instagram with the token of the user's connection.
///
/// The path is the comment's `{id}`. An id does not tell a comment from a post, so that a key needs the scopes of both.
#[utoipa::path(
    delete,
    path = "/api/integrations/{provider}/{userId}/proxy/{path:.*}",
    operation_id = "deleteGraph",
    tag = "Proxy",
    security(("key" = ["messages:manage", "content:publish"]), ("session" = [])),
    params(OfProvider, UserId, WhichConnection, GraphPath),
    responses(
        (status = 200, description = "The provider's answer.", body = GraphAnswer),
        Errors<{ FORWARDED | CHANGE }>,
    ),
)]
pub(crate) async fn delete(
    state: Data<AppState>,
    caller: Caller,
    target: Target,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let call = ProxiedCall::of(&request, &caller, target, ApiMethod::Delete, None)?;
    carry_out(&request, call.forward(state)).await
}

/// A call that its caller may make.
struct ProxiedCall {
    target: Target,
    user_id: String,
    call: Forwarded,
    parameters: Parameters,
}

impl ProxiedCall {
    /// A request as a call, when it is one that is forwarded and its caller may make it for this user.
    fn of(
        request: &HttpRequest,
        caller: &Caller,
        target: Target,
        method: ApiMethod,
        body: Option<ApiBody>,
    ) -> Result<Self, ApiError> {
        let call = Forwarded::find(rules(target.provider), method, api_path(request))?;
        let query = form_urlencoded::parse(request.query_string().as_bytes()).into_owned();
        // This one is for the service itself.
        let query = query.filter(|(name, _)| name != "connectionId").collect();
        let parameters = Parameters::new(query, body)?;
        let authorized = |scope: Scope| caller.authorize(&target.user, scope);
        let user_ids = call.scopes(&parameters).into_iter().map(authorized).collect::<Result<Vec<_>, _>>()?;
        let user_id = user_ids.into_iter().next().ok_or_else(ApiError::forbidden)?;
        Ok(Self { target, user_id, call, parameters })
    }

    async fn forward(self, state: Data<AppState>) -> Result<Json<Value>, ApiError> {
        let Self { target, user_id, call, parameters } = self;
        state.limits.strict_by_user(&limits::PROXY, &user_id).await?;
        Ok(Json(target.connections(&state).forward(target.of(&user_id), call, parameters).await?))
    }
}

/// Returns the path after `…/{provider}/{userId}/proxy/`, as it came: decoded, a path could have slashes that nobody has
/// seen.
fn api_path(request: &HttpRequest) -> &str {
    let path = request.uri().path().strip_prefix("/api/integrations/");
    let below_user = path.and_then(|path| path.splitn(3, '/').nth(2)).unwrap_or_default();
    below_user.strip_prefix("proxy/").unwrap_or_default()
}

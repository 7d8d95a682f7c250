//! The API's description of itself: an OpenAPI 3.1 document, made from the handlers.
//!
//! A route is described where it is handled. For a new one:
//!
//! 1. Put `#[utoipa::path(…)]` above the handler. The first line of its doc comment is the summary, the rest the
//!    description; both are read by people who use the API, and Markdown's backticks are all the markup there is.
//!    - `operation_id`: a verb and a noun, `getConnection`. Generated clients name their functions after it.
//!    - `tag`: one of [`tags`].
//!    - `security`: `("session" = [])`, `("key" = ["connections:read"])`, or both; nothing where anybody may ask.
//!    - `responses`: the success, with `body = Success<Answer>`, then `Errors<{ … }>` with **every** code that can come
//!      back. [`errors`] has sets for what most routes share: `Errors<{ CALLER | just(&[ErrorCode::NotConnected]) }>`.
//!    - `params`: `UserId` for the path, the query's own type (`derive(IntoParams)`) for the query.
//! 2. Derive `utoipa::ToSchema` for the types of its bodies; in `shared`, behind the feature `utoipa`.
//! 3. Name the handler in the table in `routes`: it is served and described then.
//! 4. Give an example of each new body in [`examples`].
//!
//! Tests compare the document with the routes that are served, and its examples with its schemas; the step `schemas` of
//! `cargo xtask test` compares it with what the service really answers.
//!
//! `HEAD` is served where the attribute says `method(get, head)`, and is not described.

pub(crate) mod errors;
mod examples;
mod parameters;
mod reference;
mod schemas;

pub(crate) use parameters::{IdempotencyKey, OfProvider, UserId};

use actix_web::web::Bytes;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, Contact, Info, InfoBuilder, License, OpenApi, PathItem, Ref, RefOr, Server, Tag,
};

use crate::request::etag;

/// Documents that are served of the description: made once, at the start.
pub(crate) struct Documentation {
    /// The document.
    pub(crate) json: Representation,
    /// The page for people.
    pub(crate) page: Representation,
    /// Content security policy of the page: it may show its own style.
    pub(crate) page_policy: String,
}

/// Bytes and the name of exactly these bytes.
pub(crate) struct Representation {
    /// Content that is sent.
    pub(crate) body: Bytes,
    /// Names these bytes: what stands between the quotes of `ETag`.
    pub(crate) tag: String,
}

impl Representation {
    fn new(body: String) -> Self {
        let tag = etag::tag(body.as_bytes());
        Self { body: body.into(), tag }
    }
}

impl Documentation {
    /// From the descriptions of all routes, for a service that browsers reach at `public_origin` and that calls its session's cookie `cookie`.
    ///
    /// # Errors
    /// When the document cannot be written as JSON.
    pub(crate) fn new(described: OpenApi, public_origin: &str, cookie: &str) -> serde_json::Result<Self> {
        let document = document(described, public_origin, cookie);
        let reference::Page { html, policy } = reference::page(&document);
        Ok(Self {
            json: Representation::new(document.to_json()?),
            page: Representation::new(html),
            page_policy: policy,
        })
    }
}

/// The parts that the routes fall into, in the order in which a newcomer needs them.
fn tags() -> Vec<Tag> {
    let tag = |name: &str, about: &str| TagBuilder::new().name(name).description(Some(about)).build();
    vec![
        tag("Connecting", "The way to the provider and back: from a login link to a stored connection."),
        tag("Connections", "Reading, renewing and ending what is connected."),
        tag("Proxy", "Calls of the provider's own API, made for a program that never has the token."),
        tag("People and sessions", "Local accounts, and the browser sessions of all users."),
        tag("Host applications", "For the backend of an application that brings its own users."),
        tag("API keys", "Keys for a user's own programs."),
        tag("Signals from Meta", "What Meta itself calls, signed with the app's secret."),
        tag("Service", "Whether the service works, and this description."),
    ]
}

fn info() -> Info {
    InfoBuilder::new()
        .title("Instagram Connect")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Connects Instagram professional accounts and Spotify accounts to an application and keeps the connections alive.\n\n\
             Every success carries `\"ok\": true`, but for the answer of `beginLogin`. Every failure has the body \
             `ErrorBody`: `code` is for programs and belongs to exactly one status, `error` is a sentence for a person. \
             Times are RFC 3339 in UTC with milliseconds. Unknown fields of a request are ignored; no body may be larger \
             than 64 KiB.\n\n\
             A browser proves who it is with the session's cookie; a request that changes something is then refused \
             unless it comes from the service's own pages. A program sends a key: `Authorization: Bearer igc_live_…`. \
             A personal key acts for the user who made it, a service key for any user of the host application.\n\n\
             A wrong method on a known path is answered with 405 `method_not_allowed` and the header `Allow`, an unknown \
             path with 404 `not_found`.",
        ))
        .license(Some(License::new("MIT")))
        .contact(None::<Contact>)
        .build()
}

/// The whole document.
fn document(mut document: OpenApi, public_origin: &str, cookie: &str) -> OpenApi {
    document.info = info();
    document.servers = Some(vec![Server::new(public_origin)]);
    document.tags = Some(tags());
    let components = document.components.get_or_insert_with(Components::new);
    add_security_schemes(components, cookie);
    add_headers(components);
    schemas::tidy(&mut document);
    schemas::add_examples(&mut document, &examples::all());
    each_operation(&mut document, |_, _, operation| {
        for response in operation.responses.responses.values_mut() {
            if let RefOr::T(response) = response {
                let id = RefOr::Ref(Ref::new("#/components/headers/X-Request-Id"));
                response.headers.insert("X-Request-Id".to_owned(), id);
            }
        }
    });
    document
}

fn add_security_schemes(components: &mut Components, cookie: &str) {
    let session = ApiKeyValue::with_description(
        cookie,
        "A browser's session, from `signUp`, `signIn` or `confirmHostLink`. It holds every scope but `tokens:read` and \
         `sessions:create`.",
    );
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("igc_live_…")
        .description(Some("A personal or a service key. The scope that a route needs is named beside it."))
        .build();
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    components.add_security_scheme("key", SecurityScheme::Http(key));
}

fn add_headers(components: &mut Components) {
    let id = HeaderBuilder::new()
        .schema(Some(
            ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(128)),
        ))
        .description(Some("The request's id: yours, where the request had one. It leads to the log's lines."))
        .build();
    let wait = HeaderBuilder::new()
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
                .minimum(Some(1)),
        ))
        .description(Some("Seconds to wait before trying again."))
        .build();
    components.headers.insert("X-Request-Id".to_owned(), RefOr::T(id));
    components.headers.insert("Retry-After".to_owned(), RefOr::T(wait));
}

/// Visits every operation with its path and method.
fn each_operation(document: &mut OpenApi, mut visit: impl FnMut(&str, &str, &mut Operation)) {
    for (path, item) in &mut document.paths.paths {
        let PathItem { get, put, post, delete, patch, .. } = item;
        let named = [("GET", get), ("PUT", put), ("POST", post), ("DELETE", delete), ("PATCH", patch)];
        for (method, operation) in named {
            if let Some(operation) = operation {
                visit(path, method, operation);
            }
        }
    }
}

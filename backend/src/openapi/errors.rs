//! The failures of a route, from a list of their codes.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::{ErrorBody, ErrorCode};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

/// The answers of a route that fails with these codes and no others: one a status, whose schema names its codes.
pub(crate) struct Errors<const CODES: u64>;

/// A set of codes, for [`Errors`].
pub(crate) const fn just(codes: &[ErrorCode]) -> u64 {
    let (mut set, mut next) = (0, 0);
    while next < codes.len() {
        set |= 1 << codes[next] as u64;
        next += 1;
    }
    set
}

/// Codes that any route may answer, whoever the caller is, but for routes without limits.
pub(crate) const ANYBODY: u64 =
    just(&[ErrorCode::PayloadTooLarge, ErrorCode::RateLimited, ErrorCode::Unavailable, ErrorCode::Internal]);

/// Codes that a route may answer when it uses the database.
pub(crate) const STORED: u64 = just(&[ErrorCode::Unavailable]);

/// Codes that a route may answer when it has to know its caller.
pub(crate) const CALLER: u64 = ANYBODY | STORED | just(&[ErrorCode::Unauthenticated, ErrorCode::Forbidden]);

/// Codes that a route may answer when it changes something.
pub(crate) const CHANGE: u64 = just(&[ErrorCode::CrossSiteRequest]);

/// Codes that a route may answer when it reads a body.
pub(crate) const BODY: u64 = just(&[ErrorCode::InvalidRequest, ErrorCode::UnsupportedMediaType]);

/// Codes that a route may answer when it reads a query.
pub(crate) const QUERY: u64 = just(&[ErrorCode::InvalidRequest]);

/// Codes that a route may answer when it asks a provider.
pub(crate) const UPSTREAM: u64 = just(&[
    ErrorCode::AccessDenied,
    ErrorCode::AppAccess,
    ErrorCode::NotConfigured,
    ErrorCode::RateLimited,
    ErrorCode::UpstreamError,
    ErrorCode::UpstreamTimeout,
]);

impl<const CODES: u64> IntoResponses for Errors<CODES> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut by_status = BTreeMap::<u16, Vec<ErrorCode>>::new();
        for &code in ErrorCode::ALL.iter().filter(|&&code| CODES & just(&[code]) != 0) {
            by_status.entry(code.status()).or_default().push(code);
        }
        by_status
            .into_iter()
            .map(|(status, codes)| (status.to_string(), RefOr::T(response(status, &codes))))
            .collect()
    }
}

fn response(status: u16, codes: &[ErrorCode]) -> Response {
    let meanings: Vec<_> =
        codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.meaning())).collect();
    let names = codes.iter().map(|code| Value::from(code.as_str()));
    let code = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
    // The body that all failures share, and which of its codes there can be. Beside the reference and not around it: whoever
    // compares answers with the description looks at both (OpenAPI 3.1), and whoever generates a client sees one type for all
    // failures instead of one for each status of each route.
    let body = Ref::from_schema_name(ErrorBody::name()).ref_location;
    let schema = ObjectBuilder::new()
        .property("code", code)
        .required("code")
        .extensions(Some(Extensions::from_iter([("$ref", body)])));
    let mut response = ResponseBuilder::new()
        .description(meanings.join("\n\n"))
        .content("application/json", Content::new(Some(schema)))
        .build();
    if matches!(status, 429 | 503) {
        let wait = Ref::new("#/components/headers/Retry-After");
        response.headers.insert("Retry-After".to_owned(), RefOr::Ref(wait));
    }
    response
}

/// The schemas that [`Errors`] refers to.
pub(crate) fn schemas() -> Vec<(String, RefOr<utoipa::openapi::Schema>)> {
    let mut schemas = vec![(ErrorBody::name().into_owned(), ErrorBody::schema())];
    ErrorBody::schemas(&mut schemas);
    schemas
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_one_status_are_one_answer() {
        type Some = Errors<{ just(&[ErrorCode::NotFound, ErrorCode::RateLimited, ErrorCode::NotConnected]) }>;
        let responses = serde_json::to_value(Some::responses()).unwrap();
        assert_eq!(responses.as_object().unwrap().keys().collect::<Vec<_>>(), ["404", "429"]);
        let schema = &responses["404"]["content"]["application/json"]["schema"];
        assert_eq!(schema["properties"]["code"]["enum"], serde_json::json!(["not_found", "not_connected"]));
        assert_eq!(schema["$ref"], "#/components/schemas/ErrorBody");
        assert!(responses["429"]["headers"]["Retry-After"].is_object());
    }

    #[test]
    fn every_code_has_a_place_of_its_own() {
        let all = just(ErrorCode::ALL);
        assert_eq!(all.count_ones() as usize, ErrorCode::ALL.len());
    }
}

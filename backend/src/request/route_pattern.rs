//! Patterns of routes, as the framework reads them, and the names that they go by.

use actix_web::HttpRequest;
use shared::Provider;

/// Returns the path with names in it, and not what they may stand for.
pub(crate) fn told(pattern: &str) -> String {
    pattern.replace(&provider_pattern(), "{provider}").replace(":.*}", "}")
}

/// Returns a pattern with the provider that a request names in the place of all that there are: a name for the request's route that stays
/// the same when there are more.
pub(crate) fn for_provider(pattern: &str, request: &HttpRequest) -> String {
    let provider = request.match_info().get("provider").unwrap_or_default();
    pattern.replace(&provider_pattern(), provider)
}

/// Returns the pattern that the names of providers alone fit: with another, a path is not one of the API's.
pub(crate) fn provider_pattern() -> String {
    format!("{{provider:{}}}", Provider::ALL.map(Provider::as_str).join("|"))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    /// Kept requests are named by this: another name would carry a repeated request out again.
    #[test]
    fn a_route_keeps_its_name_when_there_are_more_providers() {
        let pattern = format!("/api/integrations/{}/{{userId}}/proxy/{{path:.*}}", provider_pattern());
        let request = TestRequest::default().param("provider", "instagram").to_http_request();
        let name = for_provider(&pattern, &request);
        assert_eq!(name, "/api/integrations/instagram/{userId}/proxy/{path:.*}");
        assert_eq!(told(&pattern), "/api/integrations/{provider}/{userId}/proxy/{path}");
    }
}

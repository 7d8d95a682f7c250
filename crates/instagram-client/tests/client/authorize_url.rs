//! The URL that a person's browser is sent to (`instagram-api.md` §1).

use std::collections::BTreeMap;

use instagram_client::{AuthorizeOptions, Config, InstagramClient};
use upstream::ConfigError;
use url::Url;

const SCOPES: [&str; 3] =
    ["instagram_business_basic", "instagram_business_content_publish", "instagram_business_manage_messages"];

fn config(redirect_uri: &str) -> Config {
    Config::new("1377811407203207".to_owned(), "secret".into(), redirect_uri.to_owned())
}

fn authorize_url(redirect_uri: &str, options: AuthorizeOptions) -> Url {
    InstagramClient::new(config(redirect_uri)).unwrap().authorize_url("the+state/=", &SCOPES, options)
}

/// The old alias `api.instagram.com/oauth/authorize` shows "Sorry, this page isn't available".
#[test]
fn known_failure_1_the_consent_page_is_on_www_instagram_com() {
    let url = authorize_url("https://example.com/callback", AuthorizeOptions::default());
    assert!(url.as_str().starts_with("https://www.instagram.com/oauth/authorize?"), "{url}");
}

/// A popup gets "400 Session Invalid", so nothing asks for one: these are all the parameters.
#[test]
fn known_failure_12_the_parameters_are_those_of_a_full_page_redirect() {
    let url = authorize_url("https://example.com/callback", AuthorizeOptions::default());
    let parameters: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    let expected = [
        ("client_id", "1377811407203207"),
        ("redirect_uri", "https://example.com/callback"),
        ("response_type", "code"),
        ("scope", &SCOPES.join(",")),
        ("state", "the+state/="),
    ];
    assert_eq!(parameters, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}

#[test]
fn force_reauth_asks_to_sign_in_again() {
    let url = authorize_url("https://example.com/callback", AuthorizeOptions { force_reauth: true });
    assert!(url.query_pairs().any(|pair| pair == ("force_reauth".into(), "true".into())), "{url}");
}

/// Instagram compares the redirect URI byte for byte, and a URL library likes to add a slash or lower a letter.
#[test]
fn known_failure_18_the_redirect_uri_stays_as_it_was_given() {
    for redirect_uri in [
        "https://example.com",
        "https://example.com/",
        "HTTPS://Example.com:443/Callback",
        "http://localhost:4002/a?b=c%7e",
    ] {
        let url = authorize_url(redirect_uri, AuthorizeOptions::default());
        let sent = url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1;
        assert_eq!(sent, redirect_uri);
    }
}

#[test]
fn known_failure_18_settings_that_can_never_work_are_refused_at_the_start() {
    type Spoil = fn(&mut Config);
    let cases: [(Spoil, &str); 9] = [
        (|config| config.app_id = " ".to_owned(), "app_id is empty"),
        (|config| config.app_secret = "".into(), "app_secret is empty"),
        (
            |config| config.redirect_uri = "/callback".to_owned(),
            "redirect_uri is not an absolute http or https URL",
        ),
        (
            |config| config.redirect_uri = "app://callback".to_owned(),
            "redirect_uri is not an absolute http or https URL",
        ),
        (
            |config| config.authorize_url = Url::parse("data:x").unwrap(),
            "authorize_url is not an http or https URL",
        ),
        (|config| config.token_url = Url::parse("ftp://x").unwrap(), "token_url is not an http or https URL"),
        (
            |config| config.graph_url = Url::parse("file:///x").unwrap(),
            "graph_url is not an http or https URL",
        ),
        (|config| config.graph_version = "v25".to_owned(), "graph_version is not of the form v25.0"),
        (|config| config.timeout = std::time::Duration::ZERO, "timeout is zero"),
    ];
    for (spoil, expected) in cases {
        let mut config = config("https://example.com/callback");
        spoil(&mut config);
        let error: ConfigError = InstagramClient::new(config).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

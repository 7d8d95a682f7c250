//! The URL that a person's browser is sent to, and the settings that can never work (`spotify-api.md` §1).

use std::collections::BTreeMap;

use oauth2::{PkceCodeChallenge, PkceCodeVerifier};
use spotify_client::{AuthorizationRequest, AuthorizeOptions, Config, SpotifyClient};
use url::Url;

use crate::app::{CLIENT_ID, REDIRECT_URI, config};

const SCOPES: [&str; 2] = ["user-read-private", "playlist-read-private"];

fn request(redirect_uri: &str, scopes: &[&str], options: AuthorizeOptions) -> AuthorizationRequest {
    SpotifyClient::new(config(redirect_uri)).unwrap().authorization_request("the+state/=", scopes, options)
}

fn parameters(url: &Url) -> BTreeMap<String, String> {
    url.query_pairs().into_owned().collect()
}

#[test]
fn the_parameters_are_those_of_a_code_with_pkce() {
    let AuthorizationRequest { url, verifier } = request(REDIRECT_URI, &SCOPES, AuthorizeOptions::default());
    assert!(url.as_str().starts_with("https://accounts.spotify.com/authorize?"), "{url}");
    let challenge =
        PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.expose().to_owned()));
    let expected = [
        ("client_id", CLIENT_ID),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
        ("redirect_uri", REDIRECT_URI),
        ("response_type", "code"),
        ("scope", "user-read-private playlist-read-private"),
        ("state", "the+state/="),
    ];
    assert_eq!(parameters(&url), expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    assert!(!challenge.as_str().contains('='), "base64url without padding");
    assert!(!url.as_str().contains(verifier.expose()), "the verifier stays on the server");
}

#[test]
fn no_verifier_is_used_twice() {
    let one = request(REDIRECT_URI, &SCOPES, AuthorizeOptions::default());
    let other = request(REDIRECT_URI, &SCOPES, AuthorizeOptions::default());
    assert_ne!(one.verifier.expose(), other.verifier.expose());
}

#[test]
fn the_dialog_is_shown_where_it_is_asked_for() {
    let url = request(REDIRECT_URI, &SCOPES, AuthorizeOptions { show_dialog: true }).url;
    assert_eq!(parameters(&url)["show_dialog"], "true");
}

#[test]
fn no_scopes_are_no_parameter() {
    let url = request(REDIRECT_URI, &[], AuthorizeOptions::default()).url;
    assert_eq!(parameters(&url).get("scope"), None, "{url}");
}

#[test]
fn a_base_may_have_a_path() {
    let accounts_url = Url::parse("http://127.0.0.1:9/spotify/").unwrap();
    let client = SpotifyClient::new(Config { accounts_url, ..config(REDIRECT_URI) }).unwrap();
    let url = client.authorization_request("state", &[], AuthorizeOptions::default()).url;
    assert!(url.as_str().starts_with("http://127.0.0.1:9/spotify/authorize?"), "{url}");
}

/// Spotify compares the redirect URI byte for byte, and a URL library likes to add a slash or lower a letter.
#[test]
fn a_redirect_uri_that_spotify_accepts_stays_as_it_was_given() {
    for redirect_uri in [
        "https://example.com",
        "HTTPS://Example.com:443/Callback",
        "https://127.0.0.1/",
        "https://localhost.example.com/",
        "http://127.0.0.1:4002/auth/spotify/callback?b=c%7e",
        "http://127.0.0.1/callback",
        "http://[::1]:4002",
        "HTTP://[::1]/",
    ] {
        let url = request(redirect_uri, &SCOPES, AuthorizeOptions::default()).url;
        assert_eq!(parameters(&url)["redirect_uri"], redirect_uri);
    }
}

#[test]
fn settings_that_can_never_work_are_refused_at_the_start() {
    type Spoil = fn(&mut Config);
    let cases: [(Spoil, &str); 7] = [
        (|config| config.client_id = " ".to_owned(), "client_id is empty"),
        (|config| config.client_secret = "".into(), "client_secret is empty"),
        (
            |config| config.redirect_uri = "/callback".to_owned(),
            "redirect_uri is not an absolute http or https URL",
        ),
        (
            |config| config.redirect_uri = "app://callback".to_owned(),
            "redirect_uri is not an absolute http or https URL",
        ),
        (
            |config| config.accounts_url = Url::parse("ftp://x").unwrap(),
            "accounts_url is not an http or https URL",
        ),
        (|config| config.api_url = Url::parse("data:x").unwrap(), "api_url is not an http or https URL"),
        (|config| config.timeout = std::time::Duration::ZERO, "timeout is zero"),
    ];
    for (spoil, expected) in cases {
        let mut config = config(REDIRECT_URI);
        spoil(&mut config);
        assert_eq!(SpotifyClient::new(config).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_redirect_uri_that_spotify_refuses_is_refused_with_what_to_write() {
    for redirect_uri in
        ["http://localhost:4002/callback", "https://localhost/callback", "http://LOCALHOST/callback"]
    {
        let error = SpotifyClient::new(config(redirect_uri)).unwrap_err().to_string();
        assert!(error.contains("Spotify refuses") && error.contains("127.0.0.1"), "{redirect_uri}: {error}");
    }
    for redirect_uri in [
        "http://192.168.1.7/callback",
        "http://example.com/",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1@example.com/",
        "http://user@127.0.0.1/",
        "http://127.0.0.2/",
        // The same address for a browser, and another text for Spotify.
        "http://127.1/",
        "http://2130706433/",
        "http://[0:0:0:0:0:0:0:1]/",
    ] {
        let error = SpotifyClient::new(config(redirect_uri)).unwrap_err().to_string();
        assert!(error.contains("use https"), "{redirect_uri}: {error}");
    }
}

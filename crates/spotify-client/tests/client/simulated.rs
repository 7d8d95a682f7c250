//! The whole flow, as a person and the backend go through it, against the simulator.

use std::time::Duration;

use spotify_client::{AuthorizeOptions, Config, SpotifyClient, Tokens};
use spotify_simulator::{
    AccountChange, Config as SimulatorConfig, Consent, Endpoint, ErrorBody, Fault, NotRegistered, Options,
    Rotation, ScopeShape, Simulator, Times, accounts,
};
use upstream::{AccessTo, AccessToken, CodeVerifier, LimitOf, RefreshToken, UpstreamError};
use url::Url;

const SCOPES: [&str; 2] = ["user-read-private", "playlist-read-private"];
const HOUR: Duration = Duration::from_secs(60 * 60);

fn start() -> (Simulator, SpotifyClient) {
    let simulator = Simulator::start(SimulatorConfig::default()).unwrap();
    let client = client_of(&simulator, SimulatorConfig::CLIENT_SECRET);
    (simulator, client)
}

fn client_of(simulator: &Simulator, client_secret: &str) -> SpotifyClient {
    let url = |text: String| Url::parse(&text).unwrap();
    let redirect_uri = SimulatorConfig::REDIRECT_URIS[0].to_owned();
    SpotifyClient::new(Config {
        accounts_url: url(simulator.accounts_url()),
        api_url: url(simulator.api_url()),
        timeout: Duration::from_secs(2),
        ..Config::new(SimulatorConfig::CLIENT_ID.to_owned(), client_secret.into(), redirect_uri)
    })
    .unwrap()
}

/// Lets a person consent, and gives the code that comes back with its verifier.
fn code(simulator: &Simulator, client: &SpotifyClient, choice: Consent) -> (String, CodeVerifier) {
    let request = client.authorization_request("state", &SCOPES, AuthorizeOptions::default());
    let back = Url::parse(&simulator.consent(request.url.as_str(), choice)).unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    (code, request.verifier)
}

async fn connect(simulator: &Simulator, client: &SpotifyClient, choice: Consent) -> Tokens {
    let (code, verifier) = code(simulator, client, choice);
    client.exchange_code(&code, &verifier).await.unwrap()
}

fn issued(simulator: &Simulator, username: &str) -> (AccessToken, RefreshToken) {
    let tokens = simulator.issue_tokens(username);
    (tokens.access_token.into(), tokens.refresh_token.into())
}

#[tokio::test]
async fn a_connection_is_made_and_its_token_is_refreshed() {
    let (simulator, client) = start();
    for scope in [ScopeShape::Granted, ScopeShape::Absent, ScopeShape::Empty] {
        simulator.set_options(Options { scope, expires_in: 1800, ..Options::default() });
        let tokens = connect(&simulator, &client, Consent::allow(accounts::LISTENER)).await;
        let said = (scope == ScopeShape::Granted).then(|| SCOPES.map(str::to_owned).to_vec());
        assert_eq!(tokens.scopes, said, "{scope:?}");
        assert_eq!(tokens.expires_in, HOUR / 2);

        let profile = client.profile(&tokens.access_token).await.unwrap();
        let ids = simulator.account_ids(accounts::LISTENER);
        assert_eq!((profile.account_id, profile.id), (ids.account_id, ids.id));

        simulator.advance(HOUR);
        let expired = client.profile(&tokens.access_token).await.unwrap_err();
        assert_eq!(expired, UpstreamError::AccessTokenRefused);
        let refreshed = client.refresh(&tokens.refresh_token).await.unwrap();
        assert!(refreshed.refresh_token.is_none(), "the one that was used stays");
        assert_eq!((refreshed.expires_in, refreshed.scopes), (HOUR / 2, said));
        client.profile(&refreshed.access_token).await.unwrap();
    }
}

#[tokio::test]
async fn another_refresh_token_takes_the_place_of_the_old_one() {
    let (simulator, client) = start();
    let (_, mut token) = issued(&simulator, accounts::LISTENER);
    for rotation in [Rotation::OnOldDies, Rotation::Null, Rotation::Empty, Rotation::On, Rotation::Off] {
        simulator.set_options(Options { rotation, ..Options::default() });
        let next = client.refresh(&token).await.unwrap().refresh_token;
        assert_eq!(next.is_some(), matches!(rotation, Rotation::On | Rotation::OnOldDies), "{rotation:?}");
        if rotation == Rotation::OnOldDies {
            let error = client.refresh(&token).await.unwrap_err();
            assert_eq!(error, UpstreamError::NeedsReauthorization { subcode: None });
        }
        // The next round shows that it works.
        token = next.unwrap_or(token);
    }
}

#[tokio::test]
async fn each_kind_of_account_has_a_profile() {
    let (simulator, client) = start();
    for name in [
        accounts::LISTENER,
        accounts::UNNAMED,
        accounts::NOT_ASCII,
        accounts::DEVELOPMENT,
        accounts::WITHOUT_ACCOUNT_ID,
    ] {
        let (token, _) = issued(&simulator, name);
        let profile = client.profile(&token).await.unwrap();
        let ids = simulator.account_ids(name);
        assert_eq!((&profile.account_id, &profile.id), (&ids.account_id, &ids.id));
        assert_eq!(profile.display_name.is_none(), name == accounts::UNNAMED, "{profile:?}");
        assert_eq!(profile.picture_url.is_none(), name == accounts::UNNAMED, "{profile:?}");
        assert_eq!(profile.followers.is_none(), name == accounts::DEVELOPMENT, "{profile:?}");
        assert_eq!(profile.product.is_none(), name == accounts::DEVELOPMENT, "{profile:?}");
        assert!(profile.profile_url.unwrap().ends_with(&ids.id));
    }
    let (token, _) = issued(&simulator, accounts::LISTENER);
    let change = AccountChange { id: Some("renamed".to_owned()), ..AccountChange::default() };
    simulator.change_account(accounts::LISTENER, change);
    let profile = client.profile(&token).await.unwrap();
    assert_eq!((profile.account_id.as_deref(), profile.id.as_str()), (Some("aB3dE5fG7h"), "renamed"));
}

#[tokio::test]
async fn a_code_works_once_and_with_its_verifier() {
    let (simulator, client) = start();
    let (first, verifier) = code(&simulator, &client, Consent::allow(accounts::LISTENER));
    let (second, other) = code(&simulator, &client, Consent::allow(accounts::LISTENER));
    let swapped = client.exchange_code(&second, &verifier).await.unwrap_err();
    assert_eq!(swapped, UpstreamError::InvalidCode);
    client.exchange_code(&first, &verifier).await.unwrap();
    assert_eq!(client.exchange_code(&first, &verifier).await.unwrap_err(), UpstreamError::InvalidCode);
    simulator.advance(HOUR);
    assert_eq!(client.exchange_code(&second, &other).await.unwrap_err(), UpstreamError::InvalidCode);
}

#[tokio::test]
async fn a_wrong_secret_is_a_wrong_setting_and_kills_nothing() {
    let (simulator, client) = start();
    let wrong = client_of(&simulator, "another-secret");
    let (_, token) = issued(&simulator, accounts::LISTENER);
    for descriptions in [true, false] {
        simulator.set_options(Options { descriptions, ..Options::default() });
        let (code, verifier) = code(&simulator, &wrong, Consent::allow(accounts::LISTENER));
        let error = wrong.exchange_code(&code, &verifier).await.unwrap_err();
        assert!(matches!(error, UpstreamError::Misconfigured { .. }), "{error:?}");
        let error = wrong.refresh(&token).await.unwrap_err();
        assert!(matches!(error, UpstreamError::Misconfigured { .. }), "{error:?}");
        client.refresh(&token).await.unwrap();
    }
}

#[tokio::test]
async fn a_revoked_or_expired_connection_needs_reauthorization() {
    let (simulator, client) = start();
    let dead = UpstreamError::NeedsReauthorization { subcode: None };
    for descriptions in [true, false] {
        simulator.set_options(Options { descriptions, ..Options::default() });
        let (access, token) = issued(&simulator, accounts::LISTENER);
        simulator.revoke(accounts::LISTENER);
        assert_eq!(client.profile(&access).await.unwrap_err(), UpstreamError::AccessTokenRefused);
        assert_eq!(client.refresh(&token).await.unwrap_err(), dead);
        // Refreshing does not move the end of six months.
        let (_, token) = issued(&simulator, accounts::LISTENER);
        simulator.advance(180 * 24 * HOUR);
        client.refresh(&token).await.unwrap();
        simulator.advance(5 * 24 * HOUR);
        assert_eq!(client.refresh(&token).await.unwrap_err(), dead);
    }
}

#[tokio::test]
async fn an_app_in_development_mode_is_told_what_it_has_no_access_to() {
    let (simulator, client) = start();
    // Consent and tokens succeed all the same.
    let tokens = connect(&simulator, &client, Consent::allow(accounts::UNREGISTERED)).await;
    for not_registered in [
        NotRegistered::CheckSettings,
        NotRegistered::Dashboard,
        NotRegistered::ThisApplication,
        NotRegistered::NotApproved,
    ] {
        for error_body in [ErrorBody::Text, ErrorBody::Json, ErrorBody::Empty] {
            simulator.set_options(Options { not_registered, error_body, ..Options::default() });
            let error = client.profile(&tokens.access_token).await.unwrap_err();
            let expected = UpstreamError::AppAccess { to: AccessTo::Account };
            assert_eq!(error, expected, "{not_registered:?} {error_body:?}");
        }
    }

    let (token, _) = issued(&simulator, accounts::LISTENER);
    for error_body in [ErrorBody::Text, ErrorBody::Json] {
        simulator.set_options(Options { owner_premium: false, error_body, ..Options::default() });
        let error = client.profile(&token).await.unwrap_err();
        assert_eq!(error, UpstreamError::AppAccess { to: AccessTo::Anything }, "{error_body:?}");
    }

    simulator.set_options(Options { development_mode: true, ..Options::default() });
    client.profile(&token).await.unwrap();
    let error = client.get(&["users", "wizzler"], &[], &token).await.unwrap_err();
    assert_eq!(error, UpstreamError::AppAccess { to: AccessTo::Call });
}

#[tokio::test]
async fn a_call_that_is_forwarded_needs_its_scope() {
    let (simulator, client) = start();
    let token = connect(&simulator, &client, Consent::allow_only(accounts::LISTENER, &SCOPES[1..])).await;
    let query = [("limit".to_owned(), "1".to_owned())];
    let page = client.get(&["me", "playlists"], &query, &token.access_token).await.unwrap();
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1), "{page}");
    let error = client.get(&["me", "top", "artists"], &[], &token.access_token).await.unwrap_err();
    assert_eq!(error, UpstreamError::MissingPermission { code: 403 });
    let error = client.get(&["nowhere"], &[], &token.access_token).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Rejected { code: 404, .. }), "{error:?}");
}

#[tokio::test]
async fn no_trouble_on_the_way_is_taken_for_a_dead_token() {
    let (simulator, client) = start();
    let (access, token) = issued(&simulator, accounts::LISTENER);
    let limited =
        |seconds| UpstreamError::RateLimited { retry_after: Duration::from_secs(seconds), of: LimitOf::App };
    for (fault, seconds) in [
        (Fault::RateLimited { retry_after: None }, 30),
        (Fault::RateLimited { retry_after: Some(0) }, 30),
        (Fault::RateLimited { retry_after: Some(90) }, 90),
        (Fault::quota_exceeded(), 48_925),
    ] {
        for error_body in [ErrorBody::Text, ErrorBody::Json, ErrorBody::Empty] {
            simulator.set_options(Options { error_body, ..Options::default() });
            simulator.fault(Endpoint::Any, fault.clone(), Times::Count(2));
            assert_eq!(client.refresh(&token).await.unwrap_err(), limited(seconds), "{fault:?}");
            assert_eq!(client.profile(&access).await.unwrap_err(), limited(seconds), "{fault:?}");
        }
    }
    for (fault, kind) in [
        (Fault::ServerError { status: 503 }, "retryable"),
        (Fault::Html, "unintelligible"),
        (Fault::Empty, "unintelligible"),
        (Fault::WrongJson, "unintelligible"),
        (Fault::Truncated, "retryable"),
        (Fault::Reset, "retryable"),
        (Fault::Delay { ms: 2_500 }, "timeout"),
    ] {
        simulator.fault(Endpoint::Any, fault.clone(), Times::Count(2));
        assert_eq!(client.refresh(&token).await.unwrap_err().kind(), kind, "{fault:?}");
        assert_eq!(client.profile(&access).await.unwrap_err().kind(), kind, "{fault:?}");
    }
    client.refresh(&token).await.unwrap();
    client.profile(&access).await.unwrap();
}

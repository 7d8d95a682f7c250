//! The whole flow, as a person and the backend go through it, against the simulator.

use std::time::Duration;

use instagram_client::{AuthorizeOptions, Config, InstagramClient};
use instagram_simulator::{
    Config as SimulatorConfig, Consent, Endpoint, Fault, Options, Simulator, Times, TokenShape, UserIdForm,
    accounts,
};
use upstream::{AccessTo, UpstreamError};
use url::Url;

const SCOPES: [&str; 2] = ["instagram_business_basic", "instagram_business_manage_messages"];

fn start() -> (Simulator, InstagramClient) {
    let simulator = Simulator::start(SimulatorConfig::default()).unwrap();
    let client = client_of(&simulator, SimulatorConfig::APP_SECRET);
    (simulator, client)
}

fn client_of(simulator: &Simulator, app_secret: &str) -> InstagramClient {
    let url = |text: String| Url::parse(&text).unwrap();
    let redirect_uri = SimulatorConfig::REDIRECT_URIS[0].to_owned();
    InstagramClient::new(Config {
        authorize_url: url(simulator.authorize_url()),
        token_url: url(simulator.token_url()),
        graph_url: url(simulator.graph_url()),
        timeout: Duration::from_secs(2),
        ..Config::new(SimulatorConfig::APP_ID.to_owned(), app_secret.into(), redirect_uri)
    })
    .unwrap()
}

/// Lets a person consent, and gives the code that comes back.
fn code(simulator: &Simulator, client: &InstagramClient, choice: Consent) -> String {
    let authorize_url = client.authorize_url("state", &SCOPES, AuthorizeOptions::default());
    let redirect = Url::parse(&simulator.consent(authorize_url.as_str(), choice)).unwrap();
    let mut code = redirect.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    // As clients see it that read the whole URL.
    code.push_str("#_");
    code
}

#[tokio::test]
async fn a_connection_is_made_and_renewed_in_every_shape_of_answer() {
    let (simulator, client) = start();
    for token_shape in [
        TokenShape::PermissionsList,
        TokenShape::PermissionsText,
        TokenShape::WrappedInData,
        TokenShape::WithoutPermissions,
    ] {
        let wrapped = token_shape == TokenShape::WrappedInData;
        let token_user_id = if wrapped { UserIdForm::Text } else { UserIdForm::Number };
        simulator.set_options(Options {
            token_shape,
            token_user_id,
            profile_wrapped: wrapped,
            refresh_permissions: wrapped,
            expires_in: 5_183_944,
            ..Options::default()
        });

        let code = code(&simulator, &client, Consent::allow_only(accounts::RECORD_SHOP, &SCOPES[..1]));
        let short = client.exchange_code(&code).await.unwrap();
        let said = (token_shape != TokenShape::WithoutPermissions).then(|| vec![SCOPES[0].to_owned()]);
        assert_eq!(short.permissions, said, "{token_shape:?}");

        let (long, profile) = tokio::join!(
            client.exchange_for_long_lived(&short.access_token),
            client.profile(&short.access_token)
        );
        let (long, profile) = (long.unwrap(), profile.unwrap());
        assert_eq!(long.expires_in, Duration::from_secs(5_183_944));
        assert_eq!(profile.username, accounts::RECORD_SHOP);
        assert!(profile.professional_id.starts_with("17841"), "{profile:?}");
        assert_eq!(profile.app_scoped_id, short.user_id, "the simulator's default is the app-scoped id");

        simulator.advance(Duration::from_secs(25 * 60 * 60));
        let renewed = client.refresh(&long.access_token).await.unwrap();
        assert_eq!(renewed.expires_in, Duration::from_secs(5_183_944));
        let later = client.profile(&renewed.access_token).await.unwrap();
        assert_eq!(later.professional_id, profile.professional_id);
    }
}

#[tokio::test]
async fn a_code_works_once() {
    let (simulator, client) = start();
    let code = code(&simulator, &client, Consent::allow(accounts::RECORD_SHOP));
    client.exchange_code(&code).await.unwrap();
    assert_eq!(client.exchange_code(&code).await.unwrap_err(), UpstreamError::InvalidCode);
}

#[tokio::test]
async fn a_wrong_secret_is_a_wrong_setting() {
    let (simulator, client) = start();
    let code = code(&simulator, &client, Consent::allow(accounts::RECORD_SHOP));
    let error = client_of(&simulator, "another-secret").exchange_code(&code).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Misconfigured { .. }), "{error:?}");
}

#[tokio::test]
async fn a_revoked_or_expired_token_needs_reauthorization() {
    let (simulator, client) = start();
    let token = simulator.issue_token(accounts::RECORD_SHOP).into();
    simulator.revoke(accounts::RECORD_SHOP, 458);
    for error in [client.profile(&token).await.unwrap_err(), client.refresh(&token).await.unwrap_err()] {
        assert_eq!(error, UpstreamError::NeedsReauthorization { subcode: Some(458) });
    }
    let token = simulator.issue_token(accounts::RECORD_SHOP).into();
    simulator.advance(Duration::from_secs(61 * 24 * 60 * 60));
    let error = client.refresh(&token).await.unwrap_err();
    assert_eq!(error, UpstreamError::NeedsReauthorization { subcode: Some(463) });
}

#[tokio::test]
async fn known_failure_14_an_app_without_access_to_the_account_is_told() {
    let (simulator, client) = start();
    simulator.set_app_access(accounts::RECORD_SHOP, false);
    let token = simulator.issue_token(accounts::RECORD_SHOP).into();
    assert_eq!(client.profile(&token).await.unwrap_err(), UpstreamError::AppAccess { to: AccessTo::Account });
}

#[tokio::test]
async fn known_failure_19_no_trouble_on_the_way_is_taken_for_a_dead_token() {
    let (simulator, client) = start();
    let token = simulator.issue_token(accounts::RECORD_SHOP).into();
    let limited = "the provider limits the rate of calls; wait 900 s";
    let cases = [
        (Fault::RateLimited, limited),
        (Fault::RateLimited400, limited),
        (Fault::ServerError { status: 503 }, "the provider failed for the moment: HTTP 503, code 2"),
        (Fault::Html, "the provider answered nonsense: not JSON"),
        (Fault::Empty, "the provider answered nonsense: not JSON"),
        (Fault::WrongJson, "the provider answered nonsense: "),
        (Fault::Truncated, "the provider failed for the moment: "),
        (Fault::Reset, "the provider failed for the moment: "),
        (Fault::Delay { ms: 2_500 }, "the provider did not answer in time"),
        (Fault::graph_error(10, None), "a permission is missing (code 10)"),
    ];
    for (fault, expected) in cases {
        simulator.fault(Endpoint::Profile, fault.clone(), Times::ONCE);
        let error = client.profile(&token).await.unwrap_err();
        assert!(error.to_string().starts_with(expected), "{fault:?}: {error}");
    }
    client.profile(&token).await.unwrap();
}

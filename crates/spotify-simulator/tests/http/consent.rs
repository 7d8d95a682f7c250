//! The consent page, and the way back from it.

use reqwest::StatusCode;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use spotify_simulator::{Config, Consent, Simulator, accounts};

use super::{SCOPES, Spotify, parameter, text};

#[tokio::test]
async fn the_page_lists_accounts_and_the_scopes_asked_for() {
    let spotify = Spotify::start();
    spotify.simulator.add_account("not.listed");
    let response = spotify.http.get(spotify.auth_url(&[])).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let page = response.text().await.unwrap();
    assert_eq!(page.matches(r#"name="account""#).count(), 6);
    assert!(page.contains(r#"name="account" value="wizzler""#) && page.contains("Zoë Nguyễn 🎧"));
    for scope in SCOPES.split(' ') {
        assert!(page.contains(&format!("<small>{scope}</small>")), "{scope}");
    }
    assert!(!page.contains(r#"name="permission""#), "scopes cannot be unticked");
    assert!(page.contains(r#"name="state" value="st&amp;te=""#), "the state is not escaped");
    assert!(!page.contains("choose another account"));

    let url = spotify.auth_url(&[("show_dialog", "true"), ("state", r#""><script>"#), ("scope", "")]);
    let page = spotify.http.get(url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("choose another account") && !page.contains("What the app may do"));
    assert!(!page.contains("<script>"));
}

#[tokio::test]
async fn a_wrong_request_gets_a_page_and_never_a_redirect() {
    let spotify = Spotify::start();
    let slash = format!("{}/", Config::REDIRECT_URIS[0]);
    let commas = SCOPES.replace(' ', ",");
    let cases: [(&str, &str, &str); 13] = [
        ("client_id", "990602627938098", "INVALID_CLIENT: Invalid client"),
        ("client_id", "", "INVALID_CLIENT: Invalid client"),
        ("redirect_uri", "", "INVALID_CLIENT: Invalid redirect URI"),
        ("redirect_uri", "callback", "INVALID_CLIENT: Invalid redirect URI"),
        (
            "redirect_uri",
            "http://localhost:4002/auth/spotify/callback",
            "INVALID_CLIENT: Insecure redirect URI",
        ),
        ("redirect_uri", "http://192.168.1.9/callback", "INVALID_CLIENT: Insecure redirect URI"),
        (
            "redirect_uri",
            "http://127.0.0.1:4003/auth/spotify/callback",
            "redirect_uri: Not matching configuration",
        ),
        ("redirect_uri", &slash, "redirect_uri: Not matching configuration"),
        ("response_type", "token", "response_type must be code"),
        ("scope", &commas, "Illegal scope"),
        ("scope", "user-read-private user-read-mind", "Illegal scope"),
        ("code_challenge_method", "plain", "code_challenge_method must be S256"),
        ("code_challenge", "", "code_challenge_method must be S256"),
    ];
    for (name, value, expected) in cases {
        let response = spotify.http.get(spotify.auth_url(&[(name, value)])).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{name}={value}");
        assert!(response.headers().get(LOCATION).is_none());
        let page = response.text().await.unwrap();
        assert!(page.contains(expected), "{name}={value}: {page}");
    }
}

#[test]
fn a_loopback_address_that_is_registered_without_a_port_takes_any() {
    let redirect_uris = ["http://[::1]/back", "http://127.0.0.1/back", "https://app.example/back"];
    let simulator = Simulator::start(Config {
        redirect_uris: redirect_uris.map(str::to_owned).to_vec(),
        ..Config::default()
    })
    .unwrap();
    let visit = |redirect_uri: &str| {
        let parameters =
            [("client_id", Config::CLIENT_ID), ("redirect_uri", redirect_uri), ("response_type", "code")];
        let url = url::Url::parse_with_params(&simulator.authorize_url(), parameters).unwrap();
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            simulator.consent(url.as_str(), Consent::refuse())
        }))
    };
    for known in ["http://127.0.0.1:40123/back", "http://[::1]:8/back", "https://app.example/back"] {
        assert_eq!(visit(known).unwrap(), format!("{known}?error=access_denied"));
    }
    for unknown in ["http://127.0.0.1:40123/other", "https://app.example:444/back"] {
        assert!(visit(unknown).is_err(), "{unknown}");
    }
}

#[tokio::test]
async fn the_form_sends_the_browser_back_with_a_code() {
    let spotify = Spotify::start();
    let form = [
        ("client_id", Config::CLIENT_ID),
        ("redirect_uri", Config::REDIRECT_URIS[0]),
        ("response_type", "code"),
        ("scope", SCOPES),
        ("state", "st&te="),
        ("code_challenge", super::CHALLENGE),
        ("code_challenge_method", "S256"),
        ("account", accounts::LISTENER),
        ("decision", "allow"),
    ];
    let response = spotify.http.post(spotify.simulator.authorize_url()).form(&form).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let back = response.headers()[LOCATION].to_str().unwrap();
    assert_eq!(parameter(back, "state").as_deref(), Some("st&te="));
    let (_, body) = spotify.redeem(&parameter(back, "code").unwrap(), &[]).await;
    assert_eq!(body["scope"], SCOPES);

    let cancel = form.map(|(name, value)| if name == "decision" { (name, "cancel") } else { (name, value) });
    let response = spotify.http.post(spotify.simulator.authorize_url()).form(&cancel).send().await.unwrap();
    let back = response.headers()[LOCATION].to_str().unwrap();
    assert_eq!(back, format!("{}?error=access_denied&state=st%26te%3D", Config::REDIRECT_URIS[0]));
    assert!(response.headers().get(SET_COOKIE).is_none(), "nobody signed in");
}

#[tokio::test]
async fn a_person_who_agreed_comes_straight_back_unless_the_app_wants_the_page() {
    let spotify = Spotify::start();
    let visit = async |changes: &[(&str, &str)], cookie: &str| {
        let request = spotify.http.get(spotify.auth_url(changes)).header(COOKIE, cookie);
        request.send().await.unwrap()
    };
    let mut form = vec![("account", accounts::LISTENER.to_owned()), ("decision", "allow".to_owned())];
    let url = url::Url::parse(&spotify.auth_url(&[])).unwrap();
    let pairs: Vec<_> =
        url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    form.extend(pairs.iter().map(|(name, value)| (name.as_str(), value.clone())));
    let response = spotify.http.post(spotify.simulator.authorize_url()).form(&form).send().await.unwrap();
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();

    let silent = visit(&[], cookie).await;
    assert_eq!(silent.status(), StatusCode::SEE_OTHER);
    let code = parameter(silent.headers()[LOCATION].to_str().unwrap(), "code").unwrap();
    assert_eq!(spotify.redeem(&code, &[]).await.0, StatusCode::OK);
    // Fewer scopes are agreed to as well. More are not, another browser is not signed in, and `show_dialog`
    // asks.
    assert_eq!(visit(&[("scope", "user-top-read")], cookie).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(visit(&[("scope", "user-read-email")], cookie).await.status(), StatusCode::OK);
    assert_eq!(visit(&[], "").await.status(), StatusCode::OK);
    assert_eq!(visit(&[("show_dialog", "true")], cookie).await.status(), StatusCode::OK);
    assert_eq!(visit(&[("show_dialog", "false")], cookie).await.status(), StatusCode::SEE_OTHER);
    spotify.simulator.revoke(accounts::LISTENER);
    assert_eq!(visit(&[], cookie).await.status(), StatusCode::OK, "the app was removed");
}

#[tokio::test]
async fn a_choice_can_grant_less_than_was_asked_for() {
    let spotify = Spotify::start();
    let choice = Consent::allow_only(accounts::LISTENER, &["user-top-read"]);
    let back = spotify.simulator.consent(&spotify.auth_url(&[]), choice);
    let (_, body) = spotify.redeem(&parameter(&back, "code").unwrap(), &[]).await;
    assert_eq!(text(&body, "scope"), "user-top-read");
}

#[test]
fn a_request_without_state_comes_back_without_it() {
    let spotify = Spotify::start();
    let back = spotify.simulator.consent(&spotify.auth_url(&[("state", "")]), Consent::refuse());
    assert_eq!(parameter(&back, "state"), None);
}

#[test]
#[should_panic(expected = "Spotify shows its own page: INVALID_CLIENT: Invalid client")]
fn consent_panics_where_the_person_would_not_come_back() {
    let spotify = Spotify::start();
    spotify.simulator.consent(&spotify.auth_url(&[("client_id", "1")]), Consent::refuse());
}

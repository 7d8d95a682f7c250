//! Spotify: whether it answers, and whether it knows the app.

use shared::Provider;
use spotify_client::{AuthorizeOptions, SpotifyClient};

use super::check::{Check, within};
use super::found::Found;
use super::reach::{AppCheck, MADE_UP_CODE, Reach, time_for};
use crate::config::{SpotifyApp, SpotifyConfig};

const APP: AppCheck = AppCheck {
    name: "client id and secret",
    title: "Spotify",
    variable: "SPOTIFY_ACCOUNTS_URL",
    reached: "spotify accounts",
};

/// All checks of Spotify, at once. None where it is not set up.
pub(super) async fn check(found: &Found) -> Vec<Check> {
    let Some(config) = found.spotify.as_ref().filter(|_| found.is_set_up(Provider::Spotify)) else {
        return Vec::new();
    };
    let reach = match Reach::new(found, "spotify", config.timeout) {
        Ok(reach) => reach,
        Err(check) => return vec![check],
    };
    let (accounts, api, app) = tokio::join!(
        reach.check(APP.reached, APP.variable, &config.accounts_url),
        reach.check("spotify API", "SPOTIFY_API_URL", &config.api_url),
        within(APP.name, app(found, config)),
    );
    vec![accounts, api, app]
}

/// Checks that Spotify knows the app's id and secret.
async fn app(found: &Found, config: &SpotifyConfig) -> Check {
    let app = match APP.app(found, &config.app) {
        Ok(app) => app,
        Err(check) => return check,
    };
    let timeout = time_for(config.timeout);
    match SpotifyClient::new(spotify_client::Config { timeout, ..config.client(app) }) {
        Ok(client) => {
            let verifier =
                client.authorization_request(MADE_UP_CODE, &[], AuthorizeOptions::default()).verifier;
            let answer = client.exchange_code(MADE_UP_CODE, &verifier).await;
            APP.judge(answer, |message| misconfigured(message, app))
        }
        Err(why) => Check::failed(APP.name, why.to_string(), "correct the variable that this names"),
    }
}

fn misconfigured(message: &str, app: &SpotifyApp) -> (String, &'static str) {
    let said = message.to_lowercase();
    if said.contains("client secret") {
        let what = format!("Spotify knows the client id {}, and not the secret", app.id);
        (
            what,
            "SPOTIFY_CLIENT_SECRET stands beside the client id, in the app's settings of Spotify's dashboard; one that was \
             rotated ends at once",
        )
    } else {
        let what =
            format!("Spotify does not know the client id {}, or refuses its secret: {message}", app.id);
        (
            what,
            "compare SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET with the app's settings in Spotify's dashboard, byte for byte",
        )
    }
}

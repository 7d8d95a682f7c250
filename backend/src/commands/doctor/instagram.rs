//! Instagram: whether it answers, and whether it knows the app.

use instagram_client::InstagramClient;
use shared::Provider;

use super::check::{Check, within};
use super::found::Found;
use super::reach::{AppCheck, MADE_UP_CODE, Reach, time_for};
use crate::config::{InstagramApp, InstagramConfig};

/// The host of the authorize URL that used to work (`instagram-api.md` §1).
const GONE_HOST: &str = "api.instagram.com";

const APP: AppCheck = AppCheck {
    name: "app id and secret",
    title: "Instagram",
    variable: "INSTAGRAM_TOKEN_URL",
    reached: "token endpoint",
};

/// All checks of Instagram, at once. None where it is not set up.
pub(super) async fn check(found: &Found) -> Vec<Check> {
    let Some(config) = found.instagram.as_ref().filter(|_| found.is_set_up(Provider::Instagram)) else {
        return Vec::new();
    };
    let reach = match Reach::new(found, "instagram", config.timeout) {
        Ok(reach) => reach,
        Err(check) => return vec![check],
    };
    let (graph, token, authorize, app) = tokio::join!(
        reach.check("graph API", "INSTAGRAM_GRAPH_URL", &config.graph_url),
        reach.check(APP.reached, APP.variable, &config.token_url),
        reach.check("authorize page", "INSTAGRAM_AUTHORIZE_URL", &config.authorize_url),
        within(APP.name, app(found, config)),
    );
    let authorize = match config.authorize_url.host_str() {
        Some(GONE_HOST) => Check::failed(
            "authorize page",
            format!("{GONE_HOST} shows people \"Sorry, this page isn't available\" since August 2026"),
            format!(
                "unset INSTAGRAM_AUTHORIZE_URL, or set it to {}",
                instagram_client::DEFAULT_AUTHORIZE_URL
            ),
        ),
        _ => authorize,
    };
    vec![graph, token, authorize, app]
}

/// Checks that Instagram knows the app's id and secret.
async fn app(found: &Found, config: &InstagramConfig) -> Check {
    let app = match APP.app(found, &config.app) {
        Ok(app) => app,
        Err(check) => return check,
    };
    let timeout = time_for(config.timeout);
    match InstagramClient::new(instagram_client::Config { timeout, ..config.client(app) }) {
        Ok(client) => {
            let answer = client.exchange_code(MADE_UP_CODE).await;
            APP.judge(answer, |message| misconfigured(message, app))
        }
        Err(why) => Check::failed(APP.name, why.to_string(), "correct the variable that this names"),
    }
}

fn misconfigured(message: &str, app: &InstagramApp) -> (String, &'static str) {
    let said = message.to_lowercase();
    if said.contains("platform app") {
        let what = format!("Instagram does not know the app id {}", app.id);
        (
            what,
            "INSTAGRAM_APP_ID is the Instagram app id (Instagram → API setup with Instagram login); the Meta app id of the \
             same app is another number",
        )
    } else if said.contains("client secret") {
        let what = "Instagram knows the app id, and not the secret".to_owned();
        (
            what,
            "INSTAGRAM_APP_SECRET is the Instagram app's secret, which stands beside the Instagram app id; the Meta app's \
             is another one, and one that was reset ends at once",
        )
    } else {
        let what = format!("Instagram refuses the app's settings: {message}");
        (what, "compare app id, secret and redirect URI with Meta's dashboard, byte for byte")
    }
}

//! Instagram: whether it answers, and whether it knows the app.

use std::error::Error;
use std::time::{Duration, Instant};

use instagram_client::{InstagramClient, InstagramError};
use reqwest::redirect::Policy;
use url::Url;

use super::check::{Check, LIMIT, within};
use super::found::Found;
use crate::config::{InstagramApp, InstagramConfig};

/// A code that Instagram has never given to anybody.
const MADE_UP_CODE: &str = "doctor";

/// The host of the authorize URL that used to work (`instagram-api.md` §1).
const GONE_HOST: &str = "api.instagram.com";

/// All checks of Instagram, at once.
pub(super) async fn check(found: &Found) -> Vec<Check> {
    let Some(config) = &found.instagram else { return Vec::new() };
    // Shorter than the limit, so that the request's own words are heard.
    let timeout = config.timeout.min(LIMIT - Duration::from_secs(2));
    let http = match client(timeout) {
        Ok(http) => http,
        Err(why) => {
            let advice = "are the system's CA certificates installed (Debian: package ca-certificates)?";
            return vec![Check::failed("instagram", format!("no HTTP client can be made: {why}"), advice)];
        }
    };
    let reach = async |name, variable, url| {
        if found.is_wrong(variable) {
            return Check::warning(name, "not checked", format!("correct {variable} first"));
        }
        within(name, reachable(&http, name, variable, url)).await
    };
    let (graph, token, authorize, app) = tokio::join!(
        reach("graph API", "INSTAGRAM_GRAPH_URL", &config.graph_url),
        reach("token endpoint", "INSTAGRAM_TOKEN_URL", &config.token_url),
        reach("authorize page", "INSTAGRAM_AUTHORIZE_URL", &config.authorize_url),
        within("app id and secret", app(found, config)),
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

fn client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    // The program decides for the process; that it is decided already is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(Policy::none()).timeout(timeout).build()
}

/// Checks that anything answers: any HTTP answer will do, since the request asks for nothing.
async fn reachable(http: &reqwest::Client, name: &'static str, variable: &str, url: &Url) -> Check {
    let started = Instant::now();
    match http.get(url.clone()).send().await {
        Ok(answer) => {
            let (status, took) = (answer.status().as_u16(), started.elapsed().as_millis());
            Check::ok(name, format!("{} answers (HTTP {status}, {took} ms)", place(url)))
        }
        Err(error) => {
            let (what, advice) = cause(&error.without_url(), variable);
            Check::failed(name, format!("{} {what}", place(url)), advice)
        }
    }
}

/// Scheme, host and port: no path, so that nothing private can be in it.
fn place(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Returns the cause that keeps a request from being answered, to be read after the host, and the advice for
/// it.
fn cause(error: &reqwest::Error, variable: &str) -> (String, String) {
    let mut last = error.to_string();
    let mut chain = last.to_lowercase();
    let mut source = error.source();
    while let Some(deeper) = source {
        last = deeper.to_string();
        chain = format!("{chain}: {}", last.to_lowercase());
        source = deeper.source();
    }
    let says = |words: &[&str]| words.iter().any(|word| chain.contains(word));
    let (what, advice) = if says(&["dns error", "failed to lookup", "name or service not known"]) {
        ("has a name that cannot be resolved", "does this machine have DNS, and is")
    } else if error.is_timeout() {
        ("does not answer in time", "does a firewall or a proxy swallow what is sent, and is")
    } else if says(&["certificate", "unknownissuer"]) {
        (
            "has a certificate that is not trusted",
            "are the system's CA certificates installed and its clock right, does a proxy open TLS, and is",
        )
    } else if says(&["connection refused"]) {
        ("refuses the connection: nothing listens there", "does it run, does a firewall refuse, and is")
    } else if says(&["network is unreachable", "no route to host"]) {
        ("cannot be reached from this network", "is this machine online, and is")
    } else {
        return (format!("gives no answer: {last}"), format!("is {variable} right?"));
    };
    (what.to_owned(), format!("{advice} {variable} right?"))
}

/// Checks that Instagram knows the app's id and secret: it checks them before it looks at the code.
async fn app(found: &Found, config: &InstagramConfig) -> Check {
    const NAME: &str = "app id and secret";
    let Ok(app) = &config.app else {
        return Check::warning(NAME, "not checked, since they are not all set", "see above");
    };
    if found.is_wrong("INSTAGRAM_TOKEN_URL") {
        return Check::warning(NAME, "not checked", "correct INSTAGRAM_TOKEN_URL first");
    }
    let client = match InstagramClient::new(client_config(config, app)) {
        Ok(client) => client,
        Err(why) => return Check::failed(NAME, why.to_string(), "correct the variable that this names"),
    };
    match client.exchange_code(MADE_UP_CODE).await {
        Err(InstagramError::InvalidCode) => {
            Check::ok(NAME, "Instagram knows them (it refused a made-up code, and nothing else)")
        }
        Err(InstagramError::Misconfigured { message }) => misconfigured(NAME, &message, app),
        Err(InstagramError::Timeout | InstagramError::Retryable { .. }) => {
            Check::warning(NAME, "not checked, since Instagram does not answer", "see the token endpoint")
        }
        Err(error @ InstagramError::RateLimited { .. }) => {
            Check::warning(NAME, format!("not checked: {error}"), "wait, and try again")
        }
        Err(error) => Check::warning(
            NAME,
            format!("nothing can be told from Instagram's answer: {error}"),
            "does INSTAGRAM_TOKEN_URL lead to Instagram? Compare id and secret with the dashboard",
        ),
        Ok(_) => Check::warning(
            NAME,
            "a made-up code was accepted",
            "INSTAGRAM_TOKEN_URL does not lead to Instagram",
        ),
    }
}

fn misconfigured(name: &'static str, message: &str, app: &InstagramApp) -> Check {
    let said = message.to_lowercase();
    let (what, advice) = if said.contains("platform app") {
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
    };
    Check::failed(name, what, advice)
}

fn client_config(config: &InstagramConfig, app: &InstagramApp) -> instagram_client::Config {
    let app = app.clone();
    instagram_client::Config {
        authorize_url: config.authorize_url.clone(),
        token_url: config.token_url.clone(),
        graph_url: config.graph_url.clone(),
        graph_version: config.graph_version.clone(),
        timeout: config.timeout.min(LIMIT - Duration::from_secs(2)),
        ..instagram_client::Config::new(app.id, app.secret, app.redirect_uri)
    }
}

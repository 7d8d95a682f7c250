//! Providers from here: whether they answer, and whether they know the app.

use std::error::Error;
use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use upstream::UpstreamError;
use url::Url;

use super::check::{Check, LIMIT, within};
use super::found::Found;

/// A code that no provider has ever given to anybody.
pub(super) const MADE_UP_CODE: &str = "doctor";

/// Returns the time that one call may take: less than the limit of a check, so that the call's own words are heard.
pub(super) fn time_for(configured: Duration) -> Duration {
    configured.min(LIMIT - Duration::from_secs(2))
}

/// Looks whether addresses can be reached.
pub(super) struct Reach<'a> {
    found: &'a Found,
    http: reqwest::Client,
}

impl<'a> Reach<'a> {
    /// From the configuration, with the time that it gives a call.
    ///
    /// # Errors
    /// A check of this name, which says why nothing can be reached.
    pub(super) fn new(found: &'a Found, name: &'static str, timeout: Duration) -> Result<Self, Check> {
        // The program decides for the process; that it is decided already is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().redirect(Policy::none()).timeout(time_for(timeout)).build();
        match http {
            Ok(http) => Ok(Self { found, http }),
            Err(why) => {
                let advice = "are the system's CA certificates installed (Debian: package ca-certificates)?";
                Err(Check::failed(name, format!("no HTTP client can be made: {why}"), advice))
            }
        }
    }

    /// Checks that anything answers at the address that a variable names.
    pub(super) async fn check(&self, name: &'static str, variable: &str, url: &Url) -> Check {
        if self.found.is_wrong(variable) {
            return Check::warning(name, "not checked", format!("correct {variable} first"));
        }
        within(name, self.answer(name, variable, url)).await
    }

    /// Any HTTP answer will do, since the request asks for nothing.
    async fn answer(&self, name: &'static str, variable: &str, url: &Url) -> Check {
        let started = Instant::now();
        match self.http.get(url.clone()).send().await {
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
}

/// A look at whether a provider knows an app, which it tells before it looks at a code.
pub(super) struct AppCheck {
    /// The check's own name.
    pub(super) name: &'static str,
    /// The provider's name.
    pub(super) title: &'static str,
    /// The variable of the address that is asked.
    pub(super) variable: &'static str,
    /// The check that tells whether this address answers.
    pub(super) reached: &'static str,
}

impl AppCheck {
    /// Tells from the answer to a made-up code whether the provider knows the app's id and secret. `misconfigured` makes the finding
    /// and the advice of the provider's words about an app that it does not know.
    pub(super) fn judge<T>(
        &self,
        answer: Result<T, UpstreamError>,
        misconfigured: impl FnOnce(&str) -> (String, &'static str),
    ) -> Check {
        let Self { name, title, variable, reached } = *self;
        match answer {
            Err(UpstreamError::InvalidCode) => {
                Check::ok(name, format!("{title} knows them (it refused a made-up code, and nothing else)"))
            }
            Err(UpstreamError::Misconfigured { message }) => {
                let (what, advice) = misconfigured(&message);
                Check::failed(name, what, advice)
            }
            Err(UpstreamError::Timeout | UpstreamError::Retryable { .. }) => {
                let message = format!("not checked, since {title} does not answer");
                Check::warning(name, message, format!("see the {reached}"))
            }
            Err(error @ UpstreamError::RateLimited { .. }) => {
                Check::warning(name, format!("not checked: {error}"), "wait, and try again")
            }
            Err(error) => Check::warning(
                name,
                format!("nothing can be told from {title}'s answer: {error}"),
                format!("does {variable} lead to {title}? Compare id and secret with the dashboard"),
            ),
            Ok(_) => Check::warning(
                name,
                "a made-up code was accepted",
                format!("{variable} does not lead to {title}"),
            ),
        }
    }

    /// Returns the app to look at.
    ///
    /// # Errors
    /// This check, where the app's variables or that of the address have to be put right first.
    pub(super) fn app<'a, T>(
        &self,
        found: &Found,
        app: &'a Result<T, Vec<&'static str>>,
    ) -> Result<&'a T, Check> {
        if found.is_wrong(self.variable) {
            return Err(Check::warning(self.name, "not checked", format!("correct {} first", self.variable)));
        }
        app.as_ref()
            .map_err(|_| Check::warning(self.name, "not checked, since they are not all set", "see above"))
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

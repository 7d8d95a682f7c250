//! The authorization request, and what comes of it (spec `spotify-api.md` §1).

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use simulator_kit::{Consent, Parameters, Permission, random_text, return_url};
use url::{Host, Url};

use crate::account::Agreement;
use crate::world::World;

/// Every scope that an app can ask for here (§4).
pub(crate) const SCOPES: [Permission; 19] = [
    Permission { name: "user-read-private", label: "See your country and your kind of subscription" },
    Permission { name: "user-read-email", label: "See your email address" },
    Permission { name: "user-top-read", label: "See your top artists and tracks" },
    Permission { name: "user-read-recently-played", label: "See what you played recently" },
    Permission { name: "playlist-read-private", label: "See your private playlists" },
    Permission { name: "playlist-read-collaborative", label: "See your collaborative playlists" },
    Permission { name: "playlist-modify-public", label: "Change your public playlists" },
    Permission { name: "playlist-modify-private", label: "Change your private playlists" },
    Permission { name: "ugc-image-upload", label: "Upload covers of playlists" },
    Permission { name: "user-follow-read", label: "See whom you follow" },
    Permission { name: "user-follow-modify", label: "Change whom you follow" },
    Permission { name: "user-library-read", label: "See what you saved" },
    Permission { name: "user-library-modify", label: "Change what you saved" },
    Permission { name: "user-read-playback-state", label: "See what plays on which device" },
    Permission { name: "user-modify-playback-state", label: "Control what plays" },
    Permission { name: "user-read-currently-playing", label: "See what plays now" },
    Permission { name: "user-read-playback-position", label: "See where you stopped in episodes" },
    Permission { name: "streaming", label: "Play music in the app" },
    Permission { name: "app-remote-control", label: "Talk to the Spotify app on your device" },
];

/// An authorization code that has been issued.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) account: usize,
    pub(crate) scopes: Vec<String>,
    pub(crate) redirect_uri: String,
    /// The PKCE challenge, which a verifier has to fit.
    pub(crate) challenge: Option<String>,
    /// Time from which its refresh token's six months count.
    pub(crate) authorized_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) used: bool,
}

/// An authorization request that has passed every check.
#[derive(Debug)]
pub(crate) struct AuthorizationRequest {
    pub(crate) redirect_uri: String,
    pub(crate) scopes: Vec<&'static Permission>,
    pub(crate) state: Option<String>,
    pub(crate) show_dialog: bool,
    challenge: Option<String>,
}

/// Errors that Spotify shows on a page of its own, without ever sending the person back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PageError {
    InvalidClient,
    InvalidRedirectUri,
    InsecureRedirectUri,
    UnknownRedirectUri,
    InvalidResponseType,
    IllegalScope,
    InvalidChallengeMethod,
    UnknownAccount,
}

impl fmt::Display for PageError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::InvalidClient => "INVALID_CLIENT: Invalid client",
            Self::InvalidRedirectUri => "INVALID_CLIENT: Invalid redirect URI",
            Self::InsecureRedirectUri => "INVALID_CLIENT: Insecure redirect URI",
            Self::UnknownRedirectUri => "redirect_uri: Not matching configuration",
            Self::InvalidResponseType => "response_type must be code or token",
            Self::IllegalScope => "Illegal scope",
            Self::InvalidChallengeMethod => "code_challenge_method must be S256",
            Self::UnknownAccount => "Unknown account",
        })
    }
}

impl PageError {
    /// Returns advice to the developer on what to do about it.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::InvalidClient => "client_id is not the one in the dashboard of the app.",
            Self::InvalidRedirectUri => "redirect_uri is missing, or is no URL.",
            Self::InsecureRedirectUri => {
                "redirect_uri must be https, or http with the address 127.0.0.1 or [::1]. “localhost” is refused."
            }
            Self::UnknownRedirectUri => {
                "redirect_uri must match a registered one byte for byte. Only a loopback address that is registered \
                 without a port takes any port."
            }
            Self::InvalidResponseType => "response_type must be “code”.",
            Self::IllegalScope => "scope holds known scopes, separated by spaces.",
            Self::InvalidChallengeMethod => {
                "code_challenge comes with code_challenge_method=S256, and neither alone."
            }
            Self::UnknownAccount => "Choose an account that exists.",
        }
    }
}

impl World {
    /// Checks an authorization request.
    pub(crate) fn authorize(&self, query: &Parameters) -> Result<AuthorizationRequest, PageError> {
        if query.text("client_id") != self.config.client_id {
            return Err(PageError::InvalidClient);
        }
        let redirect_uri = query.text("redirect_uri");
        self.check_redirect_uri(redirect_uri)?;
        if query.text("response_type") != "code" {
            return Err(PageError::InvalidResponseType);
        }
        let known = |name| SCOPES.iter().find(|scope| scope.name == name).ok_or(PageError::IllegalScope);
        // No scope at all is a request for what is public.
        let scopes = query.text("scope").split(' ').filter(|name| !name.is_empty()).map(known);
        let scopes = scopes.collect::<Result<_, _>>()?;
        let challenge = match (query.get("code_challenge"), query.get("code_challenge_method")) {
            (None, None) => None,
            (Some(challenge), Some("S256")) if !challenge.is_empty() => Some(challenge.to_owned()),
            _ => return Err(PageError::InvalidChallengeMethod),
        };
        Ok(AuthorizationRequest {
            redirect_uri: redirect_uri.to_owned(),
            scopes,
            state: query.get("state").map(str::to_owned),
            show_dialog: query.get("show_dialog") == Some("true"),
            challenge,
        })
    }

    fn check_redirect_uri(&self, given: &str) -> Result<(), PageError> {
        let url = Url::parse(given).map_err(|_| PageError::InvalidRedirectUri)?;
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err(PageError::InsecureRedirectUri);
        }
        let matches = |registered: &String| registered == given || differs_in_port(registered, url.clone());
        self.config.redirect_uris.iter().any(matches).then_some(()).ok_or(PageError::UnknownRedirectUri)
    }

    /// Carries out a person's decision: the URL to which their browser is sent, and the chosen account.
    pub(crate) fn decide(
        &mut self,
        request: &AuthorizationRequest,
        consent: Consent,
    ) -> Result<(String, Option<usize>), PageError> {
        if consent.refuse {
            return Ok((request.back(&[("error", "access_denied")]), None));
        }
        let account = self.base.accounts.place(&consent.account).ok_or(PageError::UnknownAccount)?;
        let scopes = consent.granted(&request.scopes).map_err(|_| PageError::IllegalScope)?;
        let at = self.base.now();
        self.base.accounts[account].agreement = Some(Agreement { scopes: scopes.clone(), at });
        Ok((self.back_with_code(request, account, scopes, at), Some(account)))
    }

    /// Sends a signed-in person straight back, if they agreed to all of it before and the app does not want
    /// the page.
    pub(crate) fn pass_silently(&mut self, request: &AuthorizationRequest, account: usize) -> Option<String> {
        if request.show_dialog {
            return None;
        }
        let Agreement { scopes, at } = self.base.accounts[account].agreement.as_ref()?;
        let asked = request.scopes.iter().map(|scope| scope.name.to_owned()).collect::<Vec<_>>();
        if !asked.iter().all(|scope| scopes.contains(scope)) {
            return None;
        }
        let at = if self.base.options.silent_pass_restarts { self.base.now() } else { *at };
        Some(self.back_with_code(request, account, asked, at))
    }

    fn back_with_code(
        &mut self,
        request: &AuthorizationRequest,
        account: usize,
        scopes: Vec<String>,
        authorized_at: Timestamp,
    ) -> String {
        let text = format!("AQ{}", random_text::<120>());
        let life = SignedDuration::from_secs(self.base.options.code_life.try_into().unwrap_or(i64::MAX));
        let code = Code {
            account,
            scopes,
            redirect_uri: request.redirect_uri.clone(),
            challenge: request.challenge.clone(),
            authorized_at,
            expires_at: self.base.now().checked_add(life).unwrap_or(Timestamp::MAX),
            used: false,
        };
        let url = request.back(&[("code", &text)]);
        self.codes.insert(text, code);
        url
    }
}

impl AuthorizationRequest {
    fn back(&self, parameters: &[(&str, &str)]) -> String {
        return_url(&self.redirect_uri, parameters, self.state.as_deref())
    }
}

/// Tells whether it is http on a loopback address. A name is none.
fn is_loopback(url: &Url) -> bool {
    url.scheme() == "http"
        && match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            _ => false,
        }
}

/// Tells whether the two are one loopback address, registered without a port.
fn differs_in_port(registered: &str, mut given: Url) -> bool {
    let registered = Url::parse(registered).ok().filter(is_loopback);
    given.set_port(None).is_ok() && registered.is_some_and(|registered| registered == given)
}

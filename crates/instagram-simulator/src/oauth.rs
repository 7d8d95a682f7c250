//! The authorization request, and what comes of it (spec `instagram-api.md` §1).

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use simulator_kit::{Consent, Parameters, Permission, random_text, return_url};

use crate::account::AccountType;
use crate::world::World;

/// A code lives one hour and works once.
const CODE_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// Every permission that exists.
pub(crate) const PERMISSIONS: [Permission; 5] = [
    Permission { name: "instagram_business_basic", label: "View your profile and your posts" },
    Permission {
        name: "instagram_business_content_publish",
        label: "Publish posts, reels and stories for you",
    },
    Permission { name: "instagram_business_manage_messages", label: "Read and answer your messages" },
    Permission {
        name: "instagram_business_manage_comments",
        label: "Read and answer comments on your posts",
    },
    Permission {
        name: "instagram_business_manage_insights",
        label: "See how your posts and your account perform",
    },
];

/// An authorization code that has been issued.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) account: usize,
    pub(crate) permissions: Vec<String>,
    pub(crate) redirect_uri: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) used: bool,
}

/// An authorization request that has passed every check.
#[derive(Debug)]
pub(crate) struct AuthorizationRequest {
    pub(crate) redirect_uri: String,
    pub(crate) scopes: Vec<&'static Permission>,
    pub(crate) state: Option<String>,
    pub(crate) force_reauth: bool,
}

/// Errors that Instagram shows on a page of its own, without ever sending the person back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PageError {
    InvalidPlatformApp,
    InvalidRedirectUri,
    InvalidResponseType,
    InvalidScope(String),
    UnknownAccount(String),
}

impl fmt::Display for PageError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidPlatformApp => out.write_str("Invalid platform app"),
            Self::InvalidRedirectUri => out.write_str("Invalid redirect_uri"),
            Self::InvalidResponseType => out.write_str("Invalid response_type"),
            Self::InvalidScope(scope) => write!(out, "Invalid scope: {scope}"),
            Self::UnknownAccount(name) => write!(out, "Unknown account: {name}"),
        }
    }
}

impl PageError {
    /// Returns advice to the developer on what to do about it.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::InvalidPlatformApp => {
                "client_id is not the Instagram app id. In the dashboard it stands under Instagram, \
                 “API setup with Instagram login”; the Meta app id of the same app is another number."
            }
            Self::InvalidRedirectUri => {
                "redirect_uri must match a registered one byte for byte: scheme, host, port, path and final slash."
            }
            Self::InvalidResponseType => "response_type must be “code”.",
            Self::InvalidScope(_) => "scope holds known permissions, separated by commas.",
            Self::UnknownAccount(_) => "Choose an account that exists.",
        }
    }
}

impl World {
    /// Checks an authorization request.
    pub(crate) fn authorize(&self, query: &Parameters) -> Result<AuthorizationRequest, PageError> {
        if query.text("client_id") != self.config.app_id {
            return Err(PageError::InvalidPlatformApp);
        }
        let redirect_uri = query.text("redirect_uri");
        if !self.config.redirect_uris.iter().any(|registered| registered == redirect_uri) {
            return Err(PageError::InvalidRedirectUri);
        }
        if query.text("response_type") != "code" {
            return Err(PageError::InvalidResponseType);
        }
        let scopes = query
            .text("scope")
            .split(',')
            .map(|name| {
                let known = PERMISSIONS.iter().find(|permission| permission.name == name);
                known.ok_or_else(|| PageError::InvalidScope(name.to_owned()))
            })
            .collect::<Result<_, _>>()?;
        Ok(AuthorizationRequest {
            redirect_uri: redirect_uri.to_owned(),
            scopes,
            state: query.get("state").map(str::to_owned),
            force_reauth: query.get("force_reauth") == Some("true"),
        })
    }

    /// Carries out a person's decision: the URL to which their browser is sent.
    pub(crate) fn decide(
        &mut self,
        request: &AuthorizationRequest,
        consent: Consent,
    ) -> Result<String, PageError> {
        if consent.refuse {
            return Ok(request.denied("user_denied", "The user denied your request."));
        }
        let Some(account) = self.base.accounts.place(&consent.account) else {
            return Err(PageError::UnknownAccount(consent.account));
        };
        if self.base.accounts[account].account_type == AccountType::Personal {
            let description =
                "A personal account cannot grant these permissions. Use a professional account.";
            return Ok(request.denied("personal_account", description));
        }
        let permissions = consent.granted(&request.scopes).map_err(PageError::InvalidScope)?;
        let text = format!("AQ{}", random_text::<96>());
        let code = Code {
            account,
            permissions,
            redirect_uri: request.redirect_uri.clone(),
            expires_at: self.base.now() + CODE_LIFE,
            used: false,
        };
        self.codes.insert(text.clone(), code);
        // The fragment is Instagram's own habit, and no part of the code.
        Ok(request.back(&[("code", &text)]) + "#_")
    }
}

impl AuthorizationRequest {
    /// Returns the address to which the browser goes when nothing was granted.
    fn denied(&self, reason: &str, description: &str) -> String {
        self.back(&[("error", "access_denied"), ("error_reason", reason), ("error_description", description)])
    }

    /// The redirect URI with these parameters and the state.
    fn back(&self, parameters: &[(&str, &str)]) -> String {
        return_url(&self.redirect_uri, parameters, self.state.as_deref())
    }
}

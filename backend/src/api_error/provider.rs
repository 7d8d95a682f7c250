//! The sentences of providers' failures. Every word about a provider that an API client reads stands here.

use shared::Provider;
use upstream::AccessTo;

pub(super) const PERSONAL_ACCOUNT: &str = "Instagram gives access to professional accounts only. Switching is free: \
    Instagram → Settings → Account type and tools → Switch to professional account.";
pub(super) const REFUSED_PARAMETER: &str = "One of the parameters is a token, a secret, or changes what the call is. The \
    token is ours to add, and the rest is not forwarded.";
pub(super) const ACCESS_DENIED: &str = "You did not give access, so nothing was connected.";

pub(super) fn account_in_use(provider: Provider) -> String {
    let title = provider.title();
    format!(
        "This {title} account is connected to another user here. Disconnect it there first, or choose another."
    )
}

pub(super) fn not_connected(provider: Provider) -> String {
    format!("No active {} connection found", provider.title())
}

pub(super) fn needs_reauthorization(provider: Provider) -> String {
    format!("{} no longer accepts our access to this account. Connect it again.", provider.title())
}

pub(super) fn token_too_young(provider: Provider) -> String {
    format!("{} renews an access only once it is a day old.", provider.title())
}

pub(super) fn paused(provider: Provider) -> String {
    format!("{} asks us to slow down. Nothing was changed.", provider.title())
}

pub(super) fn timeout(provider: Provider) -> String {
    format!("{} did not answer in time. Nothing was saved.", provider.title())
}

pub(super) fn rate_limited(provider: Provider) -> String {
    format!("{} asks us to slow down. Nothing was saved.", provider.title())
}

pub(super) fn invalid_code(provider: Provider) -> String {
    let title = provider.title();
    format!("{title} did not accept the confirmation. This happens when the page was reloaded. Start again.")
}

pub(super) fn app_access(provider: Provider, to: AccessTo) -> &'static str {
    match (provider, to) {
        (Provider::Instagram, _) => {
            "Instagram accepted you, but does not let this app act for your account yet. The app's owner has to add you as a \
             tester or finish Meta's review."
        }
        (Provider::Spotify, AccessTo::Anything) => {
            "Spotify does not serve this app at the moment: its owner needs a Premium subscription. Nothing was saved, and \
             nothing is lost."
        }
        (Provider::Spotify, AccessTo::Account | AccessTo::Call) => {
            "Spotify let you in, but this app may serve five listed people only until Spotify approves it. The app's owner \
             has to add your name and email under Users Management."
        }
    }
}

pub(super) const PROFILE_PERMISSION: &str =
    "The permission to read the profile is missing. Connect the account again and leave it ticked.";

pub(super) fn refused(provider: Provider) -> String {
    format!("{} refused this connection. Nothing was saved.", provider.title())
}

pub(super) fn not_answering(provider: Provider) -> String {
    format!("{} is not answering right now. Nothing was saved.", provider.title())
}

pub(super) fn not_forwarded(provider: Provider) -> String {
    format!("This path of {}'s is not forwarded.", provider.title())
}

pub(super) fn forwarded_timeout(provider: Provider) -> String {
    format!(
        "{} did not answer in time. What was asked for may have been done all the same.",
        provider.title()
    )
}

pub(super) fn forwarded_permission(provider: Provider) -> String {
    let title = provider.title();
    format!("{title} says that a permission is missing for this. Connect the account again and grant it.")
}

pub(super) fn forwarded_app_access(provider: Provider) -> String {
    format!("{} does not let this app do this for the account at the moment.", provider.title())
}

pub(super) fn forwarded_unintelligible(provider: Provider) -> String {
    format!(
        "{} did not answer as it should. What was asked for may have been done all the same.",
        provider.title()
    )
}

pub(super) fn forwarded_unreachable(provider: Provider) -> String {
    format!("{} cannot be reached. Nothing was done.", provider.title())
}

pub(super) fn access_refused_once(provider: Provider) -> String {
    format!(
        "{} refused the access in this call, and has not said that it is over. Nothing was done; the connection is as it was.",
        provider.title()
    )
}

/// Tells the operator which variables to set.
pub(super) fn not_configured(provider: Provider, missing: &[&str]) -> String {
    let verb = if missing.len() == 1 { "is" } else { "are" };
    let (title, missing) = (provider.title(), missing.join(", "));
    format!("This server has no {title} app set up yet: {missing} {verb} missing.")
}

/// Tells the operator what to compare.
pub(super) fn misconfigured(provider: Provider, redirect_uri: &str) -> String {
    let (named, dashboard) = match provider {
        Provider::Instagram => ("app id, app secret", "Meta's"),
        Provider::Spotify => ("client id, client secret", "Spotify's"),
    };
    format!(
        "{} does not accept this server's {named} or redirect URI ({redirect_uri}). Its operator has \
         to compare them with {dashboard} dashboard.",
        provider.title()
    )
}

/// Passes on the provider's own words, as its client has cleaned them: whoever made the call up cannot put it right without
/// them.
pub(super) fn refused_because(provider: Provider, message: &str, may_be_done: bool) -> String {
    let doubt = if may_be_done { ", though it may have been done all the same" } else { "" };
    format!("{} refused this{doubt}: {message}", provider.title())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_personal_account_is_told_how_to_switch() {
        assert!(PERSONAL_ACCOUNT.ends_with("Switch to professional account."));
    }

    #[test]
    fn a_server_without_an_app_names_what_is_missing() {
        let one = not_configured(Provider::Instagram, &["INSTAGRAM_APP_ID"]);
        assert_eq!(one, "This server has no Instagram app set up yet: INSTAGRAM_APP_ID is missing.");
        assert!(not_configured(Provider::Spotify, &["A", "B"]).ends_with(": A, B are missing."));
    }
}

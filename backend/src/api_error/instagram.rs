//! The sentences of Instagram's failures. Every word about Instagram that an API client reads stands here.

pub(super) const ACCESS_DENIED: &str = "You did not give access, so nothing was connected.";
pub(super) const PERSONAL_ACCOUNT: &str = "Instagram gives access to professional accounts only. Switching is free: \
    Instagram → Settings → Account type and tools → Switch to professional account.";
pub(super) const ACCOUNT_IN_USE: &str =
    "This Instagram account is connected to another user here. Disconnect it there first, or choose another.";
pub(super) const NOT_CONNECTED: &str = "No active Instagram connection found";
pub(super) const NEEDS_REAUTHORIZATION: &str =
    "Instagram no longer accepts our access to this account. Connect it again.";
pub(super) const TOKEN_TOO_YOUNG: &str = "Instagram renews an access only once it is a day old.";
pub(super) const PAUSED: &str = "Instagram asks us to slow down. Nothing was changed.";

pub(super) const TIMEOUT: &str = "Instagram did not answer in time. Nothing was saved.";
pub(super) const RATE_LIMITED: &str = "Instagram asks us to slow down. Nothing was saved.";
pub(super) const INVALID_CODE: &str =
    "Instagram did not accept the confirmation. This happens when the page was reloaded. Start again.";
pub(super) const APP_ACCESS: &str = "Instagram accepted you, but does not let this app act for your account yet. The \
    app's owner has to add you as a tester or finish Meta's review.";
pub(super) const PROFILE_PERMISSION: &str =
    "The permission to read the profile is missing. Connect the account again and leave it ticked.";
pub(super) const REFUSED: &str = "Instagram refused this connection. Nothing was saved.";
pub(super) const NOT_ANSWERING: &str = "Instagram is not answering right now. Nothing was saved.";

pub(super) const NOT_FORWARDED: &str = "This path of Instagram's is not forwarded.";
pub(super) const REFUSED_PARAMETER: &str = "One of the parameters is a token, a secret, or changes what the call is. The \
    token is ours to add, and the rest is not forwarded.";
pub(super) const FORWARDED_TIMEOUT: &str =
    "Instagram did not answer in time. What was asked for may have been done all the same.";
pub(super) const FORWARDED_PERMISSION: &str =
    "Instagram says that a permission is missing for this. Connect the account again and grant it.";
pub(super) const FORWARDED_APP_ACCESS: &str =
    "Instagram does not let this app do this for the account at the moment.";
pub(super) const FORWARDED_UNINTELLIGIBLE: &str =
    "Instagram did not answer as it should. What was asked for may have been done all the same.";
pub(super) const FORWARDED_UNREACHABLE: &str = "Instagram cannot be reached. Nothing was done.";
pub(super) const ACCESS_REFUSED_ONCE: &str = "Instagram refused the access in this call, and has not said that it is over. \
    Nothing was done; the connection is as it was.";

/// Tells the operator which variables to set.
pub(super) fn not_configured(missing: &[&str]) -> String {
    let verb = if missing.len() == 1 { "is" } else { "are" };
    format!("This server has no Instagram app set up yet: {} {verb} missing.", missing.join(", "))
}

/// Tells the operator what to compare.
pub(super) fn misconfigured(redirect_uri: &str) -> String {
    format!(
        "Instagram does not accept this server's app id, app secret or redirect URI ({redirect_uri}). Its operator has \
         to compare them with Meta's dashboard."
    )
}

/// Passes on Instagram's own words, as its client has cleaned them: whoever made the call up cannot put it right without
/// them.
pub(super) fn refused_because(message: &str, may_be_done: bool) -> String {
    let doubt = if may_be_done { ", though it may have been done all the same" } else { "" };
    format!("Instagram refused this{doubt}: {message}")
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
        assert!(not_configured(&["INSTAGRAM_APP_ID"]).ends_with(": INSTAGRAM_APP_ID is missing."));
        assert!(not_configured(&["A", "B"]).ends_with(": A, B are missing."));
    }
}

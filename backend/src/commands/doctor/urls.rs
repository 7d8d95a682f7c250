//! The addresses to enter in the providers' dashboards.

use serde::Serialize;
use shared::Provider;

use super::found::Found;

const DEAUTHORIZE_PATH: &str = "/auth/instagram/deauthorize";
const DATA_DELETION_PATH: &str = "/auth/instagram/data-deletion";
const WEBHOOK_PATH: &str = "/webhooks/instagram";

/// The addresses to enter in the dashboards, byte for byte: all in Meta's but the one of Spotify.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DashboardUrls {
    pub(super) redirect: String,
    pub(super) deauthorize: String,
    pub(super) data_deletion: String,
    pub(super) webhook: String,
    /// Tells whether this version answers at `webhook`.
    pub(super) webhook_is_served: bool,
    pub(super) spotify_redirect: String,
}

impl DashboardUrls {
    /// `None` when `PUBLIC_URL` is wrong.
    pub(super) fn new(found: &Found) -> Option<Self> {
        let server = found.server.as_ref().filter(|_| !found.is_wrong("PUBLIC_URL"))?;
        let origin = server.public_origin();
        Some(Self {
            redirect: redirect(found, Provider::Instagram)?,
            deauthorize: format!("{origin}{DEAUTHORIZE_PATH}"),
            data_deletion: format!("{origin}{DATA_DELETION_PATH}"),
            webhook: format!("{origin}{WEBHOOK_PATH}"),
            webhook_is_served: false,
            spotify_redirect: redirect(found, Provider::Spotify)?,
        })
    }
}

/// Returns the configured redirect URI where it leads to us; else the one that always does.
fn redirect(found: &Found, provider: Provider) -> Option<String> {
    let ours = callbacks(found, provider);
    let configured = found.redirect_uri(provider).filter(|uri| ours.contains(uri));
    configured.or_else(|| ours.into_iter().next())
}

/// The redirect URIs that lead to this service, as far as they are known.
pub(super) fn callbacks(found: &Found, provider: Provider) -> Vec<String> {
    let Some(server) = &found.server else { return Vec::new() };
    let known = server.callbacks(provider).into_iter().filter(|(variable, _)| !found.is_wrong(variable));
    known.map(|(_, address)| address).collect()
}

//! The addresses to enter in Meta's dashboard.

use serde::Serialize;
use shared::INSTAGRAM_CALLBACK_PATH;

use super::found::Found;

const DEAUTHORIZE_PATH: &str = "/auth/instagram/deauthorize";
const DATA_DELETION_PATH: &str = "/auth/instagram/data-deletion";
const WEBHOOK_PATH: &str = "/webhooks/instagram";

/// The addresses to enter in Meta's dashboard, byte for byte.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DashboardUrls {
    pub(super) redirect: String,
    pub(super) deauthorize: String,
    pub(super) data_deletion: String,
    pub(super) webhook: String,
    /// Tells whether this version answers at `webhook`.
    pub(super) webhook_is_served: bool,
}

impl DashboardUrls {
    /// `None` when `PUBLIC_URL` is wrong.
    pub(super) fn new(found: &Found) -> Option<Self> {
        let server = found.server.as_ref().filter(|_| !found.is_wrong("PUBLIC_URL"))?;
        let origin = server.public_origin();
        // The configured one where it leads to us; else the one that always does.
        let configured = found.redirect_uri().filter(|uri| callbacks(found).contains(uri));
        Some(Self {
            redirect: configured.unwrap_or_else(|| format!("{origin}{INSTAGRAM_CALLBACK_PATH}")),
            deauthorize: format!("{origin}{DEAUTHORIZE_PATH}"),
            data_deletion: format!("{origin}{DATA_DELETION_PATH}"),
            webhook: format!("{origin}{WEBHOOK_PATH}"),
            webhook_is_served: false,
        })
    }
}

/// The redirect URIs that lead to this service, as far as they are known.
pub(super) fn callbacks(found: &Found) -> Vec<String> {
    let Some(server) = &found.server else { return Vec::new() };
    [("PUBLIC_URL", server.public_origin()), ("FRONTEND_URL", server.frontend_origin())]
        .into_iter()
        .filter(|(variable, _)| !found.is_wrong(variable))
        .map(|(_, origin)| format!("{origin}{INSTAGRAM_CALLBACK_PATH}"))
        .collect()
}

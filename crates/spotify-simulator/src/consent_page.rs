//! Spotify's consent page.

use simulator_kit::Parameters;
use simulator_kit::pages::{Choice, ConsentPage, Look};

use crate::account::Account;
use crate::authorize::AuthorizationRequest;
use crate::world::World;

/// The look of Spotify's pages.
pub(crate) const LOOK: Look = Look {
    provider: "Spotify",
    style: "
:root { --page: #eef3ef; --accent: #117a37; --soft: #eff7f1; --line: #d5dfd8; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0d110e; --card: #171c18; --line: #2e3931; --soft: #1f2721; --accent: #1ed760; --on-accent: #00210b; }
}
main::before { background: var(--accent); }
button { border-radius: 99px; }",
};

/// The request's parameters that the form sends back unchanged.
const CARRIED: [&str; 8] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "show_dialog",
    "code_challenge",
    "code_challenge_method",
];

/// Returns the consent page.
pub(crate) fn consent(world: &World, query: &Parameters, request: &AuthorizationRequest) -> String {
    let again = "The app asked for this page, so that you can choose another account.";
    LOOK.consent(&ConsentPage {
        action: "/authorize",
        query,
        carried: &CARRIED,
        app: &world.config.client_id,
        note: request.show_dialog.then_some(again),
        choices: world.base.accounts.named().iter().map(choice).collect(),
        permissions: &request.scopes,
        separable: false,
        redirect_uri: &request.redirect_uri,
    })
}

fn choice(account: &Account) -> Choice<'_> {
    let Account { username, display_name, product, picture_hue, .. } = account;
    let about = match display_name {
        Some(name) => format!("{name} · {product}"),
        None => product.clone(),
    };
    Choice { username, about, picture_hue: *picture_hue }
}

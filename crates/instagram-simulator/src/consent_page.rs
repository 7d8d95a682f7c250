//! Instagram's consent page.

use simulator_kit::Parameters;
use simulator_kit::pages::{Choice, ConsentPage, Look};

use crate::account::Account;
use crate::oauth::AuthorizationRequest;
use crate::world::World;

/// The look of Instagram's pages, which is the kit's own.
pub(crate) const LOOK: Look = Look { provider: "Instagram", style: "" };

/// The request's parameters that the form sends back unchanged.
const CARRIED: [&str; 6] = ["client_id", "redirect_uri", "response_type", "scope", "state", "force_reauth"];

/// The consent page.
pub(crate) fn consent(world: &World, query: &Parameters, request: &AuthorizationRequest) -> String {
    let again = "The app asked you to sign in again. Choose the account that you want to use.";
    LOOK.consent(&ConsentPage {
        action: "/oauth/authorize",
        query,
        carried: &CARRIED,
        app: &world.config.app_id,
        note: request.force_reauth.then_some(again),
        choices: world.base.accounts.named().iter().map(choice).collect(),
        permissions: &request.scopes,
        separable: true,
        redirect_uri: &request.redirect_uri,
    })
}

fn choice(account: &Account) -> Choice<'_> {
    let Account { username, name, account_type, picture_hue, .. } = account;
    let kind = account_type.label();
    let about = name.as_deref().map_or_else(|| kind.to_owned(), |name| format!("{name} · {kind}"));
    Choice { username, about, picture_hue: *picture_hue }
}

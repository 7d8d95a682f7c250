//! Notices about a connection that the person has to know.

use leptos::prelude::*;
use shared::{Connection, ConnectionStatus};

use super::account::Account;
use crate::components::docs_link::docs_link;
use crate::connect::Purpose;
use crate::format;
use crate::problem::{Problem, WayOn};
use crate::providers::Provider;

/// Says what has to be known about a connection in this state, if anything.
pub(super) fn of_status(provider: &Provider, connection: &Connection) -> Option<AnyView> {
    match connection.status {
        ConnectionStatus::Active => None,
        ConnectionStatus::Expiring => Some(expiring(provider, connection)),
        ConnectionStatus::NeedsReauthorization => Some(needs_reauthorization(provider, connection)),
    }
}

/// Says that the end comes near, and since when the refresh is late, where it is what is late.
fn expiring(provider: &Provider, connection: &Connection) -> AnyView {
    let end = format::milliseconds(&connection.expires_at);
    let late_since = provider.expiring.delayed_days.map(|days| end - days * format::DAY_MS);
    view! {
        <div class="notice notice-warning">
            <p>{provider.expiring.sentence}</p>
            {late_since.map(since)}
        </div>
    }
    .into_any()
}

/// Says what happened to the access, in the server's words, since when, and what does not work for that.
fn needs_reauthorization(provider: &Provider, connection: &Connection) -> AnyView {
    let begin = connection.needs_reauthorization_since.as_ref().map(format::milliseconds);
    view! {
        <div class="notice notice-bad">
            <p>{connection.last_error.clone()} {format!(" {}", provider.without_access)}</p>
            {begin.map(since)}
        </div>
    }
    .into_any()
}

fn since(begin: f64) -> AnyView {
    view! { <p class="notice-quiet">{format!("Since {}", format::date(begin))}</p> }.into_any()
}

/// After a disconnect: says what is left to do at the provider, where the server names a page for it.
pub(super) fn revoking(account: Account) -> AnyView {
    let notice = move |url: String| {
        view! {
            <div class="notice notice-plain">
                <p>{format!("{} still lists this app. Only you can remove it there:", account.provider.name())}</p>
                {docs_link("Remove it from your account", url)}
            </div>
        }
        .into_any()
    };
    let url = move || account.revoke_url.get().filter(|url| url.starts_with("https://"));
    (move || url().map(notice)).into_any()
}

/// Says which permissions the person left out, if any, and offers to grant them.
pub(super) fn left_out(account: Account, connection: &Connection) -> Option<AnyView> {
    let missing = &connection.missing_scopes;
    let notice = || {
        view! {
            <div class="notice notice-plain">
                <p>{account.provider.left_out(missing)}</p>
                <button type="button" class="link" on:click=move |_| account.connect(Purpose::Reconnect)>
                    "Connect again"
                </button>
            </div>
        }
        .into_any()
    };
    (!missing.is_empty()).then(notice)
}

/// Says why something did not come about. The card's own button is the way to try again; only documentation is added.
pub fn notice_of(problem: Problem) -> AnyView {
    let docs = problem.ways.iter().find_map(|way| match way {
        WayOn::Docs(label, address) => Some(docs_link(label, *address)),
        _ => None,
    });
    view! {
        <div class="notice notice-bad" role="alert">
            <p>{problem.sentence}</p>
            {docs}
        </div>
    }
    .into_any()
}

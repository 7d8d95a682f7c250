//! The pages that a person sees: consent, and Instagram's own errors. Plain HTML, without scripts.

use std::fmt::Write as _;

use crate::accounts::{self, Account};
use crate::oauth::{AuthorizationRequest, PageError};
use crate::parameters::Parameters;
use crate::world::World;

const STYLE: &str = include_str!("consent_page.css");

/// The request's parameters that the form sends back unchanged.
const CARRIED: [&str; 6] = ["client_id", "redirect_uri", "response_type", "scope", "state", "force_reauth"];

/// The consent page.
pub(crate) fn consent(world: &World, query: &Parameters, request: &AuthorizationRequest) -> String {
    let mut hidden = String::new();
    for name in CARRIED {
        if let Some(value) = query.get(name) {
            push(
                &mut hidden,
                format_args!(r#"<input type="hidden" name="{name}" value="{}">"#, escape(value)),
            );
        }
    }
    let mut choices = String::new();
    for (index, account) in world.accounts.all().iter().take(accounts::NAMED).enumerate() {
        push(&mut choices, format_args!("{}", account_choice(account, index == 0)));
    }
    let mut permissions = String::new();
    for permission in &request.scopes {
        push(
            &mut permissions,
            format_args!(
                r#"<label class="choice"><span class="text"><strong>{}</strong> <small>{name}</small></span>
<input type="checkbox" class="switch" name="permission" value="{name}" checked></label>"#,
                permission.label,
                name = permission.name,
            ),
        );
    }
    let again = if request.force_reauth {
        r#"<p class="note" role="note">The app asked you to sign in again. Choose the account that you want to use.</p>"#
    } else {
        ""
    };
    let body = format!(
        r#"<h1>Allow an app to use your Instagram account?</h1>
<p class="lead">App <b>{app}</b> asks for the permissions below. You can take them back later in Instagram’s settings.</p>
{again}
<form method="post" action="/oauth/authorize">{hidden}
<fieldset><legend>Choose an account</legend>{choices}</fieldset>
<fieldset><legend>What the app may do</legend>{permissions}</fieldset>
<div class="buttons"><button name="decision" value="allow" class="primary">Allow</button>
<button name="decision" value="cancel">Cancel</button></div>
</form>
<p class="foot">You will go back to<br><code>{redirect}</code></p>"#,
        app = escape(&world.config.app_id),
        redirect = escape(&request.redirect_uri),
    );
    layout("Allow access", &body)
}

/// A page on which Instagram keeps the person, because there is nowhere safe to send them.
pub(crate) fn error(error: &PageError) -> String {
    let body = format!(
        r#"<h1>{}</h1><p class="lead">{}</p>
<p class="foot">Instagram shows this page itself. It does not send the person back, and the app is not told.</p>"#,
        escape(&error.to_string()),
        escape(error.advice()),
    );
    layout("Error", &body)
}

fn account_choice(account: &Account, chosen: bool) -> String {
    let username = &account.username;
    let picture = match account.picture_hue {
        Some(_) => format!(r#"<img src="/pictures/{username}.svg" alt="" width="44" height="44">"#),
        None => {
            let initial = username.chars().next().unwrap_or('?').to_uppercase();
            format!(r#"<span class="initial" aria-hidden="true">{initial}</span>"#)
        }
    };
    let kind = account.account_type.label();
    let about =
        account.name.as_deref().map_or_else(|| kind.to_owned(), |name| format!("{} · {kind}", escape(name)));
    let checked = if chosen { " checked" } else { "" };
    format!(
        r#"<label class="choice">{picture}<span class="text"><strong>{username}</strong> <small>{about}</small></span>
<input type="radio" name="account" value="{username}" required{checked}></label>"#
    )
}

fn layout(title: &str, body: &str) -> String {
    format!(
        r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title} · Instagram simulator</title>
<link rel="icon" href="data:,"><style>{STYLE}</style></head>
<body><p class="banner"><strong>Simulator.</strong> This is not Instagram, and no real account is involved.</p>
<main>{body}</main></body></html>"#
    )
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _ = out.write_fmt(text);
}

/// Makes text safe between tags and inside quoted attributes.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

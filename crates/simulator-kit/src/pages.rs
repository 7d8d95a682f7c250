//! The pages that a person sees: consent, and a provider's own errors. Plain HTML, without scripts.

use std::fmt::{Arguments, Write as _};

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, LOCATION};

use crate::answer::Answer;
use crate::consent::Permission;
use crate::parameters::Parameters;

const STYLE: &str = include_str!("page.css");

/// The look of one provider's pages: their name, and the custom properties of `page.css` that are their own.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The provider's name.
    pub provider: &'static str,
    /// CSS that comes after the pages' own.
    pub style: &'static str,
}

/// One account to choose.
#[derive(Debug)]
pub struct Choice<'a> {
    /// The account's user name, which the form sends.
    pub username: &'a str,
    /// The line under it.
    pub about: String,
    /// The hue of its picture, if it has one.
    pub picture_hue: Option<u16>,
}

/// What a consent page says and asks.
#[derive(Debug)]
pub struct ConsentPage<'a> {
    /// The path to which the form is sent: the page's own.
    pub action: &'a str,
    /// The request, which the form carries again.
    pub query: &'a Parameters,
    /// The parameters of the request that the form carries.
    pub carried: &'a [&'a str],
    /// The app's id.
    pub app: &'a str,
    /// A notice above the form.
    pub note: Option<&'a str>,
    /// The accounts. The first is chosen.
    pub choices: Vec<Choice<'a>>,
    /// The permissions that the app asks for.
    pub permissions: &'a [&'static Permission],
    /// Whether the person can leave some of the permissions out.
    pub separable: bool,
    /// The address to which the browser goes afterwards.
    pub redirect_uri: &'a str,
}

impl Look {
    /// Returns the consent page.
    pub fn consent(&self, page: &ConsentPage<'_>) -> String {
        let mut hidden = String::new();
        for name in page.carried {
            if let Some(value) = page.query.get(name) {
                push(
                    &mut hidden,
                    format_args!(r#"<input type="hidden" name="{name}" value="{}">"#, escape(value)),
                );
            }
        }
        let mut choices = String::new();
        for (index, choice) in page.choices.iter().enumerate() {
            push(&mut choices, format_args!("{}", account_choice(choice, index == 0)));
        }
        let mut permissions = String::new();
        for Permission { name, label } in page.permissions {
            let (row, switch) = if page.separable {
                let switch = format!(
                    r#"
<input type="checkbox" class="switch" name="permission" value="{name}" checked>"#
                );
                ("label", switch)
            } else {
                ("div", String::new())
            };
            push(
                &mut permissions,
                format_args!(
                    r#"<{row} class="choice"><span class="text"><strong>{label}</strong> <small>{name}</small></span>{switch}</{row}>"#
                ),
            );
        }
        let note = page
            .note
            .map_or_else(String::new, |note| format!(r#"<p class="note" role="note">{}</p>"#, escape(note)));
        let asked = if page.permissions.is_empty() {
            String::new()
        } else {
            format!("<fieldset><legend>What the app may do</legend>{permissions}</fieldset>")
        };
        let body = format!(
            r#"<h1>Allow an app to use your {provider} account?</h1>
<p class="lead">App <b>{app}</b> asks for the permissions below. You can take them back later in {provider}’s settings.</p>
{note}
<form method="post" action="{action}">{hidden}
<fieldset><legend>Choose an account</legend>{choices}</fieldset>
{asked}
<div class="buttons"><button name="decision" value="allow" class="primary">Allow</button>
<button name="decision" value="cancel">Cancel</button></div>
</form>
<p class="foot">You will go back to<br><code>{redirect}</code></p>"#,
            provider = self.provider,
            app = escape(page.app),
            action = page.action,
            redirect = escape(page.redirect_uri),
        );
        self.layout("Allow access", &body)
    }

    /// Returns the answer with a page on which the provider keeps the person, because there is nowhere safe
    /// to send them. `advice` is for the developer.
    pub fn error(&self, error: &str, advice: &str) -> HttpResponse {
        let body = format!(
            r#"<h1>{}</h1><p class="lead">{}</p>
<p class="foot">{} shows this page itself. It does not send the person back, and the app is not told.</p>"#,
            escape(error),
            escape(advice),
            self.provider,
        );
        page(StatusCode::BAD_REQUEST, self.layout("Error", &body))
    }

    fn layout(&self, title: &str, body: &str) -> String {
        let Self { provider, style } = self;
        format!(
            r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title} · {provider} simulator</title>
<link rel="icon" href="data:,"><style>{STYLE}{style}</style></head>
<body><p class="banner"><strong>Simulator.</strong> This is not {provider}, and no real account is involved.</p>
<main>{body}</main></body></html>"#
        )
    }
}

/// Answers with a page that no cache keeps.
pub fn page(status: StatusCode, html: String) -> HttpResponse {
    Answer::html(status, html).with_header("Cache-Control", &"no-store").into()
}

/// Sends the browser to a URL.
pub fn see_other(url: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, url))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish()
}

fn account_choice(choice: &Choice<'_>, chosen: bool) -> String {
    let Choice { username, about, picture_hue } = choice;
    let picture = match picture_hue {
        Some(_) => format!(r#"<img src="/pictures/{username}.svg" alt="" width="44" height="44">"#),
        None => {
            let initial = username.chars().next().unwrap_or('?').to_uppercase();
            format!(r#"<span class="initial" aria-hidden="true">{initial}</span>"#)
        }
    };
    let checked = if chosen { " checked" } else { "" };
    format!(
        r#"<label class="choice">{picture}<span class="text"><strong>{username}</strong> <small>{}</small></span>
<input type="radio" name="account" value="{username}" required{checked}></label>"#,
        escape(about)
    )
}

fn push(out: &mut String, text: Arguments<'_>) {
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

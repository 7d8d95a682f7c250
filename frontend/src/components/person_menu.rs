//! The menu of the person who is signed in.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{ErrorCode, User};

use super::avatar::Avatar;
use super::menu::{Menu, MenuItem};
use super::theme_switch::ThemeSwitch;
use super::toast::Toasts;
use crate::api;
use crate::session::{Session, SessionState};

/// Name, email, theme, and the way out. A blank of the same size holds its place until it is known who is signed in.
#[component]
pub fn PersonMenu() -> impl IntoView {
    let session = Session::expect();
    move || {
        match session.state() {
            SessionState::Unknown | SessionState::Unanswered => {
                view! { <span class="person-blank"></span> }.into_any()
            }
            SessionState::SignedOut => ().into_any(),
            SessionState::SignedIn(user) => menu(session, user).into_any(),
        }
        .into_any()
    }
}

fn menu(session: Session, user: User) -> impl IntoView {
    let toasts = Toasts::expect();
    let sign_out = move |()| {
        spawn_local(async move {
            match api::sign_out().await {
                Ok(()) => session.signed_out(),
                // Signed out already: what was wanted.
                Err(failure) if failure.code() == Some(ErrorCode::Unauthenticated) => session.signed_out(),
                Err(_) => toasts.fail("You are still signed in: we could not reach the server."),
            }
        });
    };
    let email = user.email;
    let name = user.name.or_else(|| email.clone()).unwrap_or(user.id);
    let email = email.filter(|email| *email != name);
    let picture = view! { <Avatar name=name.clone() class="avatar-small" /> }.into_any();
    view! {
        <Menu label=format!("Account of {name}") button=picture button_class="person-button" id="person-menu">
            <div class="menu-head">
                <span class="menu-name">{name.clone()}</span>
                {email.clone().map(|email| view! { <span class="menu-email">{email}</span> })}
            </div>
            <div role="menu" aria-label="Account">
                <ThemeSwitch />
                <MenuItem on_choose=sign_out>"Sign out"</MenuItem>
            </div>
        </Menu>
    }
}

//! The visitor's session: the signed-in person, if any.

use leptos::prelude::*;
use shared::{ErrorCode, User, validation};

use crate::address::Address;
use crate::api::{self, ApiFailure};
use crate::storage;

/// Path for a person without another destination.
pub const HOME: &str = "/integrations";

/// State of the visitor's session, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Not answered yet.
    Unknown,
    /// The server did not say.
    Unanswered,
    /// Nobody is signed in.
    SignedOut,
    /// This person is.
    SignedIn(User),
}

/// The app's one session, shared as a context.
#[derive(Clone, Copy)]
pub struct Session(RwSignal<SessionState>);

impl Session {
    /// Puts a session into the context and asks the server whose it is.
    pub fn provide() {
        let session = Self(RwSignal::new(SessionState::Unknown));
        provide_context(session);
        session.ask();
    }

    /// The session of the app around this component.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Returns the state; tracked.
    pub fn state(self) -> SessionState {
        self.0.get()
    }

    /// The person, when one is signed in; tracked.
    pub fn user(self) -> Option<User> {
        match self.0.get() {
            SessionState::SignedIn(user) => Some(user),
            SessionState::Unknown | SessionState::Unanswered | SessionState::SignedOut => None,
        }
    }

    /// Asks the server who is signed in. Without an answer, pages show what they could not load, and call
    /// [`ask_again`](Self::ask_again) on a retry.
    fn ask(self) {
        leptos::task::spawn_local(async move {
            match api::session().await {
                Ok(Some(user)) => self.signed_in(user),
                Ok(None) => self.signed_out(),
                Err(_) => self.0.set(SessionState::Unanswered),
            }
        });
    }

    /// Asks once more, where there was no answer.
    pub fn ask_again(self) {
        if self.0.with_untracked(|state| *state == SessionState::Unanswered) {
            self.ask();
        }
    }

    /// Returns the signed-in person, and asks the server only where the person is not known.
    pub async fn require_user(self) -> Result<User, ApiFailure> {
        if let SessionState::SignedIn(user) = self.0.get_untracked() {
            return Ok(user);
        }
        let Some(user) = api::session().await? else {
            self.signed_out();
            return Err(ApiFailure::signed_out());
        };
        self.signed_in(user.clone());
        Ok(user)
    }

    /// Notes who has just signed in.
    pub fn signed_in(self, user: User) {
        storage::set_signed_in(true);
        self.0.set(SessionState::SignedIn(user));
    }

    /// Notes that nobody is signed in.
    pub fn signed_out(self) {
        storage::set_signed_in(false);
        self.0.set(SessionState::SignedOut);
    }

    /// Hands an answer on, and notes when it says that the server no longer knows the session.
    pub fn checked<T>(self, answer: Result<T, ApiFailure>) -> Result<T, ApiFailure> {
        if let Err(failure) = &answer
            && failure.code() == Some(ErrorCode::Unauthenticated)
        {
            self.signed_out();
        }
        answer
    }
}

/// Sends a visitor who is not signed in to sign in, and then back to this page. Calls `load` once: at the same
/// time as the server is asked who that is where somebody was signed in here before, else as soon as the answer is there, since
/// what a page asks for on behalf of nobody is refused.
pub fn require_session(load: impl Fn() + 'static) {
    let session = Session::expect();
    let address = Address::expect();
    let here = untrack(|| address.path());
    Effect::new(move |is_loaded: Option<bool>| {
        let is_loaded = is_loaded.unwrap_or_default();
        match session.state() {
            SessionState::Unknown if !storage::was_signed_in() => is_loaded,
            SessionState::SignedOut => {
                // Whoever is on the way to another page, such as after deleting the account, goes there.
                if untrack(|| address.path()) == here {
                    address.replace(&sign_in_path(&(here.clone() + &untrack(|| address.search()))));
                }
                is_loaded
            }
            SessionState::Unknown | SessionState::Unanswered | SessionState::SignedIn(_) => {
                if !is_loaded {
                    untrack(&load);
                }
                true
            }
        }
    });
}

/// Sends a person who is signed in away from the sign-in pages: to where they were going.
pub fn leave_when_signed_in() {
    let session = Session::expect();
    let address = Address::expect();
    Effect::new(move |_| {
        if session.user().is_some() {
            address.replace(&destination(address.parameter("next")));
        }
    });
}

/// A path of this site that the address names, or home: an address can come from anyone.
pub fn destination(path: Option<String>) -> String {
    path.filter(|path| validation::is_return_path(path)).unwrap_or_else(|| HOME.to_owned())
}

/// The sign-in page that leads on to `next`.
pub fn sign_in_path(next: &str) -> String {
    format!("/sign-in?next={}", js_sys::encode_uri_component(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_stays_on_this_site() {
        let to = |path: &str| destination(Some(path.to_owned()));
        assert_eq!(to("/auth/instagram/callback"), "/auth/instagram/callback");
        assert_eq!(to("https://evil.example"), HOME);
        assert_eq!(to("//evil.example"), HOME);
        assert_eq!(destination(None), HOME);
    }
}

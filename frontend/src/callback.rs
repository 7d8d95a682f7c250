//! Decisions of the callback page about its next move, without a browser.
//!
//! A provider's code works once, and so does the handle that the server gives for it. What is in hand is therefore kept
//! until it is spent, so that a reload goes on where the page was instead of spending it twice.

use shared::{CallbackAnswer, Connection, ConnectionStatus, ErrorCode, without_fragment};

use crate::api::ApiFailure;
use crate::providers::Provider;

/// Parameters that the provider put into the address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallbackQuery {
    /// The authorization code.
    pub code: Option<String>,
    /// The `state` that the login route made.
    pub state: Option<String>,
    /// Set instead of `code` when there was no consent.
    pub error: Option<String>,
    /// Finer than `error`: `user_denied`, for example.
    pub error_reason: Option<String>,
    /// The provider's own sentence.
    pub error_description: Option<String>,
}

impl CallbackQuery {
    /// Reads the address through `get`, which looks up one parameter. `None` when the provider put nothing there.
    pub fn from_params(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        // Some browsers hand the end of Instagram's address on as part of whatever parameter is last.
        let get = |name| get(name).map(|value| without_fragment(&value).to_owned());
        let query = Self {
            code: get("code"),
            state: get("state"),
            error: get("error"),
            error_reason: get("error_reason"),
            error_description: get("error_description"),
        };
        (query.code.is_some() || query.error.is_some()).then_some(query)
    }

    /// The parameters that are set, by name.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("code", &self.code),
            ("state", &self.state),
            ("error", &self.error),
            ("error_reason", &self.error_reason),
            ("error_description", &self.error_description),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}

/// A code or an answer that is not spent yet. Lives in the tab's session storage.
#[derive(Clone, Debug)]
pub enum Pending {
    /// To be exchanged.
    Query(CallbackQuery),
    /// Exchanged, to be saved.
    Answer(CallbackAnswer),
}

/// The page's steps, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The person agreed on the provider's page.
    Consent,
    /// The code is exchanged.
    Access,
    /// The connection is stored.
    Saving,
    /// All is done.
    Done,
}

impl Step {
    /// Every step, first to last.
    pub const ALL: [Self; 4] = [Self::Consent, Self::Access, Self::Saving, Self::Done];

    /// Returns what the page calls it.
    pub fn label(self, provider: &Provider) -> String {
        match self {
            Self::Consent => return format!("{} said yes", provider.name()),
            Self::Access => "Getting access",
            Self::Saving => "Saving the connection",
            Self::Done => "Done",
        }
        .to_owned()
    }
}

/// The page's next move.
#[derive(Debug)]
pub enum Move {
    /// Exchange the code.
    Exchange(CallbackQuery),
    /// Save what was exchanged.
    Save(CallbackAnswer),
    /// Ask whether to save it: the person came back with another account than the one to reconnect.
    AskAboutOther {
        /// The username of that other account.
        came: String,
        /// The username of the account to reconnect.
        expected: String,
    },
    /// Nothing is left to spend, so another run of this page may have finished. The connection tells; it may take
    /// another look or two until that run is through.
    LookForConnection {
        /// Attempts before the page gives up.
        tries: u8,
        /// The account that it has to be of, where that is known.
        username: Option<String>,
    },
    /// Ask the person to sign in; what is in hand stays.
    SignIn,
    /// Show what went wrong at that step.
    Fail(Step, ApiFailure),
}

/// Returns the page's first move. The parameters in the address are newer than the kept ones, and win.
pub fn first_move(address: Option<CallbackQuery>, kept: Option<Pending>) -> Move {
    match (address, kept) {
        (Some(query), _) | (None, Some(Pending::Query(query))) => Move::Exchange(query),
        (None, Some(Pending::Answer(answer))) => after_exchange(answer),
        (None, None) => Move::LookForConnection { tries: 1, username: None },
    }
}

/// After an exchange that succeeded.
pub fn after_exchange(answer: CallbackAnswer) -> Move {
    match answer.expected_username {
        Some(expected) => Move::AskAboutOther { came: answer.user.username, expected },
        None => Move::Save(answer),
    }
}

/// Returns the answer without its expected username, once the person has agreed to connect the other account.
pub fn agreed(answer: CallbackAnswer) -> CallbackAnswer {
    CallbackAnswer { expected_username: None, ..answer }
}

/// After an exchange that failed.
pub fn after_failed_exchange(failure: ApiFailure) -> Move {
    match failure.code() {
        Some(ErrorCode::Unauthenticated) => Move::SignIn,
        // A second run with the same address: the first one spent the state.
        Some(ErrorCode::InvalidState) => Move::LookForConnection { tries: 3, username: None },
        Some(ErrorCode::AccessDenied) => Move::Fail(Step::Consent, failure),
        _ => Move::Fail(Step::Access, failure),
    }
}

/// After a save of this username's account that failed.
pub fn after_failed_save(failure: ApiFailure, username: String) -> Move {
    match failure.code() {
        Some(ErrorCode::Unauthenticated) => Move::SignIn,
        // The handle is spent or too old: a reload while the first save was under way.
        Some(ErrorCode::ValidationFailed) => Move::LookForConnection { tries: 3, username: Some(username) },
        _ => Move::Fail(Step::Saving, failure),
    }
}

/// Tells whether the code or answer in hand stays usable after this failure, so that another attempt need not
/// begin at the provider.
pub fn stays_usable(step: Step, failure: &ApiFailure) -> bool {
    match failure {
        ApiFailure::Unreachable | ApiFailure::Unreadable => true,
        ApiFailure::Refused(body) => match body.code {
            ErrorCode::Unauthenticated | ErrorCode::Unavailable => true,
            // An exchange that the provider throttled has spent its state; a save has spent nothing.
            ErrorCode::RateLimited | ErrorCode::Internal => step == Step::Saving,
            _ => false,
        },
    }
}

/// Tells each of these connections from itself after it was connected again: each time it has an end of its own. A line each.
pub fn marks(connections: &[Connection]) -> String {
    connections.iter().map(|connection| mark(connection) + "\n").collect()
}

fn mark(connection: &Connection) -> String {
    format!("{} {}", connection.id, connection.expires_at)
}

/// Tells whether a connection that was found counts as the success of another run. That run was to connect
/// `username`, if it is known. A connection whose mark is among those `before` is no success: it was there
/// before the person left for the provider. Without `before`, no connection counts.
pub fn is_success(connection: &Connection, username: Option<&str>, before: Option<&str>) -> bool {
    connection.status != ConnectionStatus::NeedsReauthorization
        && username.is_none_or(|username| username == connection.username)
        && before.is_some_and(|before| before.lines().all(|before| before != mark(connection)))
}

#[cfg(test)]
mod tests {
    use shared::{ErrorBody, UserProfile};

    use super::*;

    fn refused(code: ErrorCode) -> ApiFailure {
        ApiFailure::Refused(Box::new(ErrorBody {
            ok: false,
            error: String::new(),
            code,
            request_id: "r1".to_owned(),
            fields: None,
            reason: None,
            missing: None,
            retry_after: None,
        }))
    }

    fn query(code: &str) -> CallbackQuery {
        CallbackQuery { code: Some(code.to_owned()), state: Some("s".to_owned()), ..Default::default() }
    }

    fn answer() -> CallbackAnswer {
        CallbackAnswer {
            access_token: "sealed.x".to_owned().into(),
            user_id: "1".to_owned(),
            expires_in: 1,
            user: UserProfile::default(),
            return_to: None,
            expected_username: None,
        }
    }

    #[test]
    fn the_address_loses_the_fragment_that_instagram_adds() {
        for (code, state) in [("AQ_x#_", "s"), ("AQ_x", "s#_"), ("AQ_x", "s%23_")] {
            let read = |name: &str| match name {
                "code" => Some(code.to_owned()),
                "state" => Some(state.to_owned()),
                _ => None,
            };
            assert_eq!(CallbackQuery::from_params(read), Some(query("AQ_x")), "{code} {state}");
        }
        assert_eq!(CallbackQuery::from_params(|_| None), None);
    }

    #[test]
    fn a_refusal_loses_it_whatever_parameter_is_last() {
        let read = |name: &str| name.starts_with("error").then(|| format!("{name}-value#_"));
        let query = CallbackQuery::from_params(read).unwrap();
        assert!(query.pairs().all(|(name, value)| value == format!("{name}-value")), "{query:?}");
        assert_eq!(query.pairs().count(), 3);
    }

    #[test]
    fn a_refusal_is_sent_on_without_a_code() {
        let read = |name: &str| (name == "error").then(|| "access_denied".to_owned());
        let query = CallbackQuery::from_params(read).unwrap();
        assert_eq!(query.pairs().collect::<Vec<_>>(), [("error", "access_denied")]);
    }

    #[test]
    fn a_reload_goes_on_where_the_page_was() {
        let kept = Some(Pending::Query(query("a")));
        assert!(matches!(first_move(None, kept.clone()), Move::Exchange(q) if q == query("a")));
        assert!(matches!(first_move(Some(query("b")), kept), Move::Exchange(q) if q == query("b")));
        assert!(matches!(first_move(None, Some(Pending::Answer(answer()))), Move::Save(_)));
        assert!(matches!(first_move(None, None), Move::LookForConnection { .. }));
    }

    #[test]
    fn a_second_run_looks_for_what_the_first_one_did() {
        assert!(matches!(
            after_failed_exchange(refused(ErrorCode::InvalidState)),
            Move::LookForConnection { .. }
        ));
        assert!(matches!(
            after_failed_save(refused(ErrorCode::ValidationFailed), "shop".to_owned()),
            Move::LookForConnection { username: Some(username), .. } if username == "shop"
        ));
    }

    #[test]
    fn a_failure_is_shown_at_the_step_that_failed() {
        let step = |next| match next {
            Move::Fail(step, _) => Some(step),
            _ => None,
        };
        assert_eq!(step(after_failed_exchange(refused(ErrorCode::AccessDenied))), Some(Step::Consent));
        assert_eq!(step(after_failed_exchange(refused(ErrorCode::UpstreamError))), Some(Step::Access));
        let after_save = |code| after_failed_save(refused(code), String::new());
        assert_eq!(step(after_save(ErrorCode::AccountInUse)), Some(Step::Saving));
        assert!(matches!(after_save(ErrorCode::Unauthenticated), Move::SignIn));
    }

    #[test]
    fn only_what_was_not_spent_is_tried_again() {
        assert!(stays_usable(Step::Access, &ApiFailure::Unreachable));
        assert!(stays_usable(Step::Access, &refused(ErrorCode::Unavailable)));
        assert!(!stays_usable(Step::Access, &refused(ErrorCode::RateLimited)));
        assert!(stays_usable(Step::Saving, &refused(ErrorCode::RateLimited)));
        assert!(!stays_usable(Step::Saving, &refused(ErrorCode::AccountInUse)));
    }

    #[test]
    fn another_account_than_the_one_to_reconnect_is_asked_about_until_the_person_agrees() {
        let mut answer = CallbackAnswer { expected_username: Some("shop".to_owned()), ..answer() };
        answer.user.username = "other".to_owned();
        let asks = |next| matches!(next, Move::AskAboutOther { came, expected } if (came.as_str(), expected.as_str()) == ("other", "shop"));
        assert!(asks(after_exchange(answer.clone())));
        assert!(asks(first_move(None, Some(Pending::Answer(answer.clone())))), "a reload asks again");
        assert!(matches!(first_move(None, Some(Pending::Answer(agreed(answer)))), Move::Save(_)));
    }

    fn connection(status: &str, expires_at: &str) -> Connection {
        let json = format!(
            r#"{{"id":"1","provider":"instagram","username":"shop","connectedAt":"","lastSync":"","expiresAt":"{expires_at}","needsRefresh":false,
                "status":"{status}","scopes":[],"missingScopes":[]}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_dead_connection_is_no_success_and_neither_is_another_account() {
        let nothing = Some("");
        assert!(is_success(&connection("active", ""), None, nothing));
        assert!(is_success(&connection("expiring", ""), Some("shop"), nothing));
        assert!(!is_success(&connection("active", ""), Some("other"), nothing));
        assert!(!is_success(&connection("needs_reauthorization", ""), None, nothing));
    }

    #[test]
    fn the_connection_that_was_to_be_renewed_is_no_success_of_a_reconnect_that_failed() {
        let old = connection("expiring", "2026-01-09T15:30:00.000Z");
        let before = marks(std::slice::from_ref(&old));
        assert!(!is_success(&old, Some("shop"), Some(&before)));
        let new = connection("active", "2026-03-01T15:30:00.000Z");
        assert!(is_success(&new, Some("shop"), Some(&before)));
        assert!(is_success(&new, None, Some(&marks(&[]))));
        assert!(
            !is_success(&new, None, None),
            "a tab that did not leave for Instagram has nothing to announce"
        );
    }

    #[test]
    fn each_of_several_connections_has_a_mark_of_its_own() {
        let old = [
            connection("active", "2026-01-09"),
            Connection { id: "2".to_owned(), ..connection("active", "2026-01-10") },
        ];
        let before = marks(&old);
        assert!(old.iter().all(|old| !is_success(old, None, Some(&before))));
        let again =
            Connection { expires_at: connection("active", "2026-03-01").expires_at, ..old[1].clone() };
        assert!(
            is_success(&again, None, Some(&before)),
            "not the one in use, and connected again all the same"
        );
    }
}

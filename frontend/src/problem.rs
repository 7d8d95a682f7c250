//! Failures in words, each with the next thing to do.

use shared::sentence::{OUR_SIDE, STALE_LINK};
use shared::{ErrorBody, ErrorCode, ErrorReason};

use crate::api::ApiFailure;
use crate::providers::Provider;

/// Sentence for a call without an answer.
pub const UNREACHABLE: &str = "We could not reach the server.";

/// Said of an account that was disconnected meanwhile.
pub const NOT_CONNECTED_ANY_MORE: &str = "This account is not connected any more.";

/// The text of the link to the guide to setting up an app of the provider's.
pub const SET_UP: &str = "How to set it up";

/// Something that a person can do about a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WayOn {
    /// Go on with what is in hand, or begin again where nothing is.
    TryAgain,
    /// Begin again at the provider.
    StartAgain,
    /// Begin again at the provider, which then asks who signs in.
    UseAnotherAccount,
    /// Begin again at the provider, to grant what was left out.
    ConnectAgain,
    /// Keep the connection as it is.
    ContinueWithout,
    /// Save the account of this handle, though another one was expected.
    ConnectOther(String),
    /// Begin again at the provider, to reconnect the account of this handle.
    Reconnect(String),
    /// Sign in, then go on.
    SignIn,
    /// Leave it.
    Back,
    /// Read how the app's owner heals it: what the page explains, and its address.
    Docs(&'static str, &'static str),
}

impl WayOn {
    /// The text of the button or link.
    pub fn label(&self) -> String {
        match self {
            Self::TryAgain => "Try again",
            Self::StartAgain => "Start again",
            Self::UseAnotherAccount => "Use another account",
            Self::ConnectAgain => "Connect again",
            Self::ContinueWithout => "Continue without",
            Self::ConnectOther(handle) => return format!("Connect {handle} as a new connection"),
            Self::Reconnect(handle) => return format!("Reconnect {handle}"),
            Self::SignIn => "Sign in",
            Self::Back => "Back",
            Self::Docs(label, _) => label,
        }
        .to_owned()
    }
}

/// A failure as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The failure, in a sentence or two.
    pub sentence: String,
    /// Ways on for the person; the first is offered most.
    pub ways: Vec<WayOn>,
    /// Seconds to wait before the first way makes sense.
    pub wait: Option<u64>,
}

impl Problem {
    fn new(sentence: impl Into<String>, ways: &[WayOn]) -> Self {
        Self { sentence: sentence.into(), ways: ways.to_vec(), wait: None }
    }

    /// A failure on the way to a connection. What the server says of it is shown as it is.
    pub fn of_connecting(provider: &Provider, failure: &ApiFailure) -> Self {
        use WayOn::{Back, Docs, StartAgain, TryAgain, UseAnotherAccount};
        let ApiFailure::Refused(body) = failure else {
            return Self::new(sentence(failure), &[TryAgain]);
        };
        let told = || body.error.clone();
        let problem = match body.code {
            ErrorCode::AccessDenied if body.reason == Some(ErrorReason::PersonalAccount) => {
                Self::new(told(), &[TryAgain])
            }
            ErrorCode::AccessDenied => Self::new(told(), &[TryAgain, Back]),
            ErrorCode::InvalidState | ErrorCode::InvalidCode => return Self::new(told(), &[StartAgain]),
            ErrorCode::NotFound => Self::new(NOT_CONNECTED_ANY_MORE, &[UseAnotherAccount, Back]),
            ErrorCode::AccountInUse => Self::new(told(), &[UseAnotherAccount]),
            // One sentence for all three: what sets them apart is nothing that the person could do about.
            ErrorCode::UpstreamError | ErrorCode::UpstreamTimeout | ErrorCode::RateLimited => {
                Self::new(provider.not_answering("Nothing was saved."), &[TryAgain])
            }
            ErrorCode::AppAccess => {
                Self::new(told(), &[TryAgain, Docs("How the owner does that", provider.docs)])
            }
            ErrorCode::NotConfigured => Self::new(told(), &[Docs(SET_UP, provider.docs)]),
            ErrorCode::Unauthenticated => Self::sign_in(),
            _ => Self::new(our_side(body), &[TryAgain]),
        };
        Self { wait: body.retry_after, ..problem }
    }

    /// A profile that could not be read again. What is shown is as it was.
    pub fn of_syncing(provider: &Provider, failure: &ApiFailure) -> Self {
        let sentence = match failure.code() {
            Some(ErrorCode::UpstreamError | ErrorCode::UpstreamTimeout | ErrorCode::RateLimited) => {
                provider.not_answering("This is what it said last.")
            }
            _ => sentence(failure),
        };
        Self::new(sentence, &[])
    }

    /// An access that could not be refreshed now. It goes on as it is.
    pub fn of_refreshing(provider: &Provider, failure: &ApiFailure) -> Self {
        let sentence = match failure {
            ApiFailure::Refused(body) => match (body.code, body.retry_after) {
                // The server knows whose limit it is: the access may be too young, or the provider asked too often.
                (ErrorCode::RateLimited, Some(seconds)) => {
                    format!("{} Try again in {}.", body.error, wait_in_words(seconds))
                }
                (ErrorCode::UpstreamError | ErrorCode::UpstreamTimeout | ErrorCode::RateLimited, _) => {
                    provider.not_answering("The access you have goes on, and we keep trying.")
                }
                _ => sentence(failure),
            },
            _ => sentence(failure),
        };
        Self::new(sentence, &[])
    }

    /// A connection that could not be made the one in use.
    pub fn of_selecting(failure: &ApiFailure) -> Self {
        Self::new(sentence(failure), &[])
    }

    /// A reconnect from which the person came back as somebody else.
    pub fn other_account(provider: &Provider, came: &str, expected: &str) -> Self {
        let [came, expected] = [came, expected].map(|username| provider.handle(username));
        Self::new(
            format!(
                "You signed in as {came}, but this was to reconnect {expected}. Nothing is saved yet. Connecting \
                 {came} makes a new connection and leaves {expected} as it is."
            ),
            &[WayOn::ConnectOther(came), WayOn::Reconnect(expected), WayOn::Back],
        )
    }

    /// A callback without anything to go on with.
    pub fn stale_link() -> Self {
        Self::new(STALE_LINK, &[WayOn::StartAgain])
    }

    /// A callback of someone who is not signed in here.
    pub fn sign_in() -> Self {
        Self::new("Sign in to finish connecting.", &[WayOn::SignIn])
    }

    /// A connection that was saved without all that was asked for.
    pub fn left_out(provider: &Provider, missing: &[String]) -> Self {
        Self::new(provider.left_out(missing), &[WayOn::ConnectAgain, WayOn::ContinueWithout])
    }
}

/// A failure in one sentence, for places where trying again is obvious.
pub fn sentence(failure: &ApiFailure) -> String {
    match failure {
        ApiFailure::Unreachable => UNREACHABLE.to_owned(),
        ApiFailure::Unreadable => OUR_SIDE.to_owned(),
        ApiFailure::Refused(body) => match (body.code, body.retry_after) {
            (ErrorCode::RateLimited, Some(seconds)) => {
                format!("Too many attempts. Try again in {}.", wait_in_words(seconds))
            }
            (ErrorCode::RateLimited, None) => "Too many attempts. Try again in a little while.".to_owned(),
            // The server knows what the person can do about it.
            (ErrorCode::Forbidden, _) => body.error.clone(),
            _ => our_side(body),
        },
    }
}

/// `40 seconds`, `1 minute`, `12 minutes`, `23 hours`.
pub fn wait_in_words(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..7200 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3600), "hour"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

fn our_side(body: &ErrorBody) -> String {
    match body.code {
        // The server's sentence names the addresses that differ and the variables to set: whoever runs it may
        // be reading.
        ErrorCode::CrossSiteRequest => body.error.clone(),
        _ => format!("{OUR_SIDE} Reference: {}", body.request_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::instagram::INSTAGRAM;

    fn refused(code: ErrorCode) -> ErrorBody {
        ErrorBody {
            ok: false,
            error: "The server's own words.".to_owned(),
            code,
            request_id: "req-7".to_owned(),
            fields: None,
            reason: None,
            missing: None,
            retry_after: None,
        }
    }

    fn problem(body: ErrorBody) -> Problem {
        Problem::of_connecting(&INSTAGRAM, &ApiFailure::Refused(Box::new(body)))
    }

    #[test]
    fn every_code_has_a_sentence_and_a_way_on() {
        for code in ErrorCode::ALL {
            let problem = problem(refused(*code));
            assert!(problem.sentence.ends_with(['.', '7']), "{}: {}", code.as_str(), problem.sentence);
            assert!(!problem.ways.is_empty(), "{}", code.as_str());
        }
    }

    #[test]
    fn a_refusal_is_told_in_the_servers_words() {
        for code in [
            ErrorCode::AccessDenied,
            ErrorCode::InvalidState,
            ErrorCode::InvalidCode,
            ErrorCode::AccountInUse,
            ErrorCode::AppAccess,
            ErrorCode::NotConfigured,
        ] {
            assert_eq!(problem(refused(code)).sentence, "The server's own words.", "{}", code.as_str());
        }
    }

    #[test]
    fn a_provider_that_is_away_has_a_sentence_for_what_was_asked() {
        let down = refused(ErrorCode::UpstreamTimeout);
        let not_saved = "Instagram is not answering right now. Nothing was saved.";
        assert_eq!(problem(down.clone()).sentence, not_saved);
        let syncing = Problem::of_syncing(&INSTAGRAM, &ApiFailure::Refused(Box::new(down)));
        assert_eq!(syncing.sentence, "Instagram is not answering right now. This is what it said last.");
    }

    #[test]
    fn a_personal_account_can_only_try_again() {
        let body =
            ErrorBody { reason: Some(ErrorReason::PersonalAccount), ..refused(ErrorCode::AccessDenied) };
        assert_eq!(problem(body).ways, [WayOn::TryAgain]);
        assert_eq!(problem(refused(ErrorCode::AccessDenied)).ways, [WayOn::TryAgain, WayOn::Back]);
    }

    #[test]
    fn an_account_of_someone_else_offers_another_one() {
        assert_eq!(problem(refused(ErrorCode::AccountInUse)).ways, [WayOn::UseAnotherAccount]);
    }

    #[test]
    fn the_wait_is_the_one_that_the_server_names() {
        let body = ErrorBody { retry_after: Some(30), ..refused(ErrorCode::RateLimited) };
        assert_eq!(problem(body.clone()).wait, Some(30));
        assert_eq!(
            sentence(&ApiFailure::Refused(Box::new(body))),
            "Too many attempts. Try again in 30 seconds."
        );
    }

    #[test]
    fn an_access_that_is_too_young_says_when_it_is_old_enough() {
        let error = "Instagram renews an access only once it is a day old.".to_owned();
        let body = ErrorBody { retry_after: Some(82_000), error, ..refused(ErrorCode::RateLimited) };
        assert_eq!(
            Problem::of_refreshing(&INSTAGRAM, &ApiFailure::Refused(Box::new(body))).sentence,
            "Instagram renews an access only once it is a day old. Try again in 23 hours."
        );
        let down = ApiFailure::Refused(Box::new(refused(ErrorCode::UpstreamError)));
        assert!(Problem::of_refreshing(&INSTAGRAM, &down).sentence.contains("goes on"));
    }

    #[test]
    fn another_account_than_the_one_to_reconnect_is_a_choice() {
        let problem = Problem::other_account(&INSTAGRAM, "other", "shop");
        let labels: Vec<_> = problem.ways.iter().map(WayOn::label).collect();
        assert_eq!(labels, ["Connect @other as a new connection", "Reconnect @shop", "Back"]);
    }

    #[test]
    fn an_unknown_failure_gives_a_reference() {
        assert_eq!(
            problem(refused(ErrorCode::Internal)).sentence,
            "Something went wrong on our side. Reference: req-7"
        );
        assert_eq!(Problem::of_connecting(&INSTAGRAM, &ApiFailure::Unreachable).sentence, UNREACHABLE);
    }

    #[test]
    fn an_address_that_the_server_does_not_know_is_told_in_its_words() {
        let failure = ApiFailure::Refused(Box::new(refused(ErrorCode::CrossSiteRequest)));
        assert_eq!(sentence(&failure), "The server's own words.");
        assert_eq!(Problem::of_connecting(&INSTAGRAM, &failure).sentence, "The server's own words.");
    }

    #[test]
    fn waits_read_naturally() {
        assert_eq!(wait_in_words(1), "1 second");
        assert_eq!(wait_in_words(59), "59 seconds");
        assert_eq!(wait_in_words(60), "1 minute");
        assert_eq!(wait_in_words(61), "2 minutes");
        assert_eq!(wait_in_words(7200), "2 hours");
        assert_eq!(wait_in_words(82_801), "24 hours");
    }
}

//! Reasons why a command ended without having done its work.

use std::fmt::Display;

/// Result of the functions of this program.
pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// A reason to stop.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The person pressed Ctrl-C, or something asked this process to end.
    Interrupted,
    /// A sentence for the person: what happened and, where it is known, what to do.
    Because(String),
}

impl Failure {
    /// For `map_err`: says what was being done when `cause` came up.
    pub(crate) fn while_doing<E: Display>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |cause| Self::Because(format!("{what}: {cause}"))
    }
}

impl From<String> for Failure {
    fn from(sentence: String) -> Self {
        Self::Because(sentence)
    }
}

impl From<&str> for Failure {
    fn from(sentence: &str) -> Self {
        Self::Because(sentence.to_owned())
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Interrupted => f.write_str("interrupted"),
            Self::Because(sentence) => f.write_str(sentence),
        }
    }
}

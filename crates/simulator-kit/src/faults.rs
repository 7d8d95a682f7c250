//! Faults on demand: what can go wrong, where, and how often.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A provider's endpoints, whose requests are counted and can be made to fail.
pub trait Endpoint: Copy + Debug + Ord + Send + Serialize + DeserializeOwned + 'static {
    /// The endpoints that a request can be for: all but [`Endpoint::ANY`].
    const SINGLE: &'static [Self];
    /// All of them together.
    const ANY: Self;
    /// The endpoints at which random failures happen unless told otherwise.
    const FAILING: &'static [Self];

    /// Tells whether a request for the other is one for this.
    fn includes(self, other: Self) -> bool {
        self == Self::ANY || self == other
    }
}

/// Something that goes wrong with one answer. [`faults!`](crate::faults!) writes the enum.
pub trait Fault: Clone + Debug + Send + Serialize + DeserializeOwned + 'static {
    /// Returns the mishap of the wire that it is. `None`: an answer of the provider's own.
    fn mishap(&self) -> Option<Mishap>;

    /// Tells whether the request's work is done, and only its answer suffers.
    fn does_the_work(&self) -> bool {
        matches!(self.mishap(), Some(Mishap::Delay { .. } | Mishap::Truncated | Mishap::HalfEmoji))
    }

    /// Tells whether the client certainly gets the answer: not late, not cut, and not left out.
    fn delivers_whole(&self) -> bool {
        !self.does_the_work() && self.mishap() != Some(Mishap::Reset)
    }
}

/// Mishaps of the wire, which no provider is spared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "`faults!` describes each, where simulators show them")]
pub enum Mishap {
    Delay { ms: u64 },
    Html,
    Truncated,
    HalfEmoji,
    Empty,
    Reset,
    WrongJson,
}

/// Writes the enum of a provider's faults: its own, and each [`Mishap`] of the wire. In JSON it is tagged by
/// `kind`.
#[macro_export]
macro_rules! faults {
    ($(#[$about:meta])* $visibility:vis enum $name:ident { $($own:tt)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, $crate::serde::Serialize, $crate::serde::Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        $visibility enum $name {
            /// The right answer, late. The work is done at once, so a client that stops waiting loses an
            /// answer.
            Delay {
                /// The delay, in milliseconds of real time.
                ms: u64,
            },
            /// HTTP 200 with a page of HTML, as an edge proxy sends it.
            Html,
            /// The right answer, cut in the middle: `Content-Length` promises more than comes.
            Truncated,
            /// The right answer, in which each emoji is cut to half of its surrogate pair: what remains of a
            /// text that a program cut by UTF-16 units, and what many JSON readers refuse.
            HalfEmoji,
            /// HTTP 200 with nothing in it.
            Empty,
            /// The connection is reset without an answer.
            Reset,
            /// HTTP 200 with valid JSON of another shape.
            WrongJson,
            $($own)*
        }

        impl $crate::Fault for $name {
            fn mishap(&self) -> Option<$crate::Mishap> {
                Some(match self {
                    Self::Delay { ms } => $crate::Mishap::Delay { ms: *ms },
                    Self::Html => $crate::Mishap::Html,
                    Self::Truncated => $crate::Mishap::Truncated,
                    Self::HalfEmoji => $crate::Mishap::HalfEmoji,
                    Self::Empty => $crate::Mishap::Empty,
                    Self::Reset => $crate::Mishap::Reset,
                    Self::WrongJson => $crate::Mishap::WrongJson,
                    _ => return None,
                })
            }
        }
    };
}

/// Number of times that a fault happens. In JSON a number, or `"forever"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "TimesJson", into = "TimesJson")]
pub enum Times {
    /// For this many requests. 0 does nothing.
    Count(u64),
    /// Until the faults are cleared.
    Forever,
}

impl Times {
    /// For the next request only.
    pub const ONCE: Self = Self::Count(1);
}

impl Default for Times {
    fn default() -> Self {
        Self::ONCE
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum TimesJson {
    Number(u64),
    Word(String),
}

impl TryFrom<TimesJson> for Times {
    type Error = &'static str;

    fn try_from(json: TimesJson) -> Result<Self, Self::Error> {
        match json {
            TimesJson::Number(count) => Ok(Self::Count(count)),
            TimesJson::Word(word) if word == "forever" => Ok(Self::Forever),
            TimesJson::Word(_) => Err("times is a number or \"forever\""),
        }
    }
}

impl From<Times> for TimesJson {
    fn from(times: Times) -> Self {
        match times {
            Times::Count(count) => Self::Number(count),
            Times::Forever => Self::Word("forever".to_owned()),
        }
    }
}

/// A fault that waits for its requests: what the admin route reads and lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFault<E, F> {
    /// The endpoint at which it happens.
    pub endpoint: E,
    /// The fault that happens.
    #[serde(flatten)]
    pub fault: F,
    /// Number of times that it still happens. Default: once.
    #[serde(default)]
    pub times: Times,
}

/// The faults that wait, oldest first. A request meets at most one of them.
#[derive(Debug)]
pub struct FaultQueue<E, F>(Vec<PlannedFault<E, F>>);

impl<E, F> Default for FaultQueue<E, F> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<E: Endpoint, F: Clone> FaultQueue<E, F> {
    /// Lets a fault wait. One that never happens is left out.
    pub fn add(&mut self, planned: PlannedFault<E, F>) {
        if planned.times != Times::Count(0) {
            self.0.push(planned);
        }
    }

    /// Takes all faults back.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns the faults that wait, oldest first.
    pub fn planned(&self) -> &[PlannedFault<E, F>] {
        &self.0
    }

    /// Takes the oldest fault that waits for this endpoint, counted down.
    pub fn take(&mut self, endpoint: E) -> Option<F> {
        let position = self.0.iter().position(|planned| planned.endpoint.includes(endpoint))?;
        let planned = &mut self.0[position];
        match &mut planned.times {
            Times::Count(count) if *count > 1 => *count -= 1,
            Times::Count(_) => return Some(self.0.remove(position).fault),
            Times::Forever => {}
        }
        Some(planned.fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    enum Place {
        Here,
        There,
        Any,
    }

    impl Endpoint for Place {
        const SINGLE: &[Self] = &[Self::Here, Self::There];
        const ANY: Self = Self::Any;
        const FAILING: &[Self] = &[];
    }

    #[test]
    fn faults_are_taken_oldest_first_and_only_where_they_belong() {
        let mut queue = FaultQueue::default();
        queue.add(PlannedFault { endpoint: Place::Here, fault: "never", times: Times::Count(0) });
        queue.add(PlannedFault { endpoint: Place::Here, fault: "twice", times: Times::Count(2) });
        queue.add(PlannedFault { endpoint: Place::Any, fault: "always", times: Times::Forever });
        assert_eq!(queue.take(Place::There), Some("always"));
        assert_eq!(queue.take(Place::Here), Some("twice"));
        assert_eq!(queue.take(Place::Here), Some("twice"));
        assert_eq!(queue.take(Place::Here), Some("always"));
        queue.clear();
        assert_eq!(queue.take(Place::Here), None);
    }

    #[test]
    fn times_are_a_number_or_forever() {
        let read = |json| serde_json::from_str::<Times>(json).ok();
        assert_eq!((read("2"), read("\"forever\"")), (Some(Times::Count(2)), Some(Times::Forever)));
        assert_eq!((read("\"often\""), read("-1")), (None, None));
    }
}

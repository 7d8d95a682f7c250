//! The time that something took, in words.

use std::fmt;
use std::time::{Duration, Instant};

/// Runs from its making on; shown as the time since then.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

impl fmt::Display for Stopwatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&in_words(self.elapsed()))
    }
}

/// `0.3 s`, `42 s`, `3 min 05 s`.
pub(crate) fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// `less than a minute`, `1 minute`, `4 minutes`.
pub(crate) fn roughly(duration: Duration) -> String {
    match (duration.as_secs() + 30) / 60 {
        0 => "less than a minute".to_owned(),
        1 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_as_a_person_would_say_it() {
        assert_eq!(in_words(Duration::from_millis(340)), "0.3 s");
        assert_eq!(in_words(Duration::from_secs(42)), "42 s");
        assert_eq!(in_words(Duration::from_secs(185)), "3 min 05 s");
    }

    #[test]
    fn an_estimate_is_given_in_whole_minutes() {
        let seconds = [0, 29, 30, 89, 90, 3600];
        assert_eq!(
            seconds.map(|seconds| roughly(Duration::from_secs(seconds))),
            ["less than a minute", "less than a minute", "1 minute", "1 minute", "2 minutes", "60 minutes"]
        );
    }
}

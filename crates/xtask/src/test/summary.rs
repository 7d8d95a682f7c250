//! The table at the end of a test run.

use std::fmt;
use std::time::Duration;

use crate::failure::Result;
use crate::stopwatch::in_words;
use crate::test::counts::Counts;

/// Outcome of one step.
pub(crate) struct Outcome {
    /// The step's name, as `--only` takes it.
    pub(crate) step: &'static str,
    /// From its start to its end.
    pub(crate) took: Duration,
    /// The tests that it ran.
    pub(crate) counts: Counts,
    /// The reason why it failed, when it did.
    pub(crate) failure: Option<String>,
}

/// All steps so far. Shown as a table, with `N passed, N failed` alone on the last line.
#[derive(Default)]
pub(crate) struct Summary(Vec<Outcome>);

impl Summary {
    /// Adds the next step's outcome.
    pub(crate) fn add(&mut self, outcome: Outcome) {
        self.0.push(outcome);
    }

    /// Tests over all steps.
    ///
    /// A step that failed without naming a failed test, such as one that did not compile, counts as one failure: the
    /// last line never says `0 failed` about a run that failed.
    fn total(&self) -> Counts {
        let mut total = Counts::default();
        for outcome in &self.0 {
            total += outcome.counts;
            if outcome.failure.is_some() && outcome.counts.failed == 0 {
                total.failed += 1;
            }
        }
        total
    }

    /// Returns the result of the whole run.
    ///
    /// # Errors
    /// When a step failed; names the steps.
    pub(crate) fn verdict(&self) -> Result {
        let failed: Vec<_> =
            self.0.iter().filter(|outcome| outcome.failure.is_some()).map(|outcome| outcome.step).collect();
        if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<16}{:<8}{:>12}  tests", "step", "result", "time")?;
        for Outcome { step, took, counts, failure } in &self.0 {
            let result = if failure.is_some() { "FAILED" } else { "ok" };
            write!(f, "{step:<16}{result:<8}{:>12}", in_words(*took))?;
            if !counts.is_empty() {
                write!(
                    f,
                    "  {} passed, {} failed, {} left out",
                    counts.passed, counts.failed, counts.ignored
                )?;
            }
            writeln!(f)?;
            if let Some(sentence) = failure {
                writeln!(f, "    {sentence}")?;
            }
        }
        let total = self.total();
        write!(f, "\n{} passed, {} failed", total.passed, total.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(step: &'static str, passed: usize, failed: usize, failure: Option<&str>) -> Outcome {
        let counts = Counts { passed, failed, ignored: 0 };
        Outcome { step, took: Duration::from_secs(1), counts, failure: failure.map(str::to_owned) }
    }

    #[test]
    fn the_last_line_adds_all_tests_up() {
        let summary = Summary(vec![
            outcome("format", 0, 0, None),
            outcome("tests", 40, 0, None),
            outcome("browser", 2, 0, None),
        ]);
        assert_eq!(summary.to_string().lines().last(), Some("42 passed, 0 failed"));
        assert!(summary.verdict().is_ok());
    }

    #[test]
    fn a_step_that_fails_without_a_failed_test_still_counts() {
        let summary = Summary(vec![
            outcome("lints", 0, 0, Some("clippy failed")),
            outcome("tests", 40, 2, Some("two failed")),
        ]);
        assert_eq!(summary.to_string().lines().last(), Some("40 passed, 3 failed"));
        assert_eq!(summary.verdict().unwrap_err().to_string(), "failed: lints, tests");
    }
}

//! The steps of a command: which one runs, and about how long the rest takes.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use crate::failure::Result;
use crate::stopwatch::{Stopwatch, roughly};
use crate::workspace;

/// Steps that take less than this have found their work done, and say nothing about the machine.
const TELLING: Duration = Duration::from_secs(5);

/// Name of the file that keeps how long steps took. It goes with what they built: after `cargo clean`, all is
/// done for the first time.
const FILE: &str = "xtask-steps.json";

/// Time that a step takes on two cores, in seconds.
#[derive(Clone, Copy)]
pub(crate) enum Usual {
    /// It installs what is missing, or finds that nothing is.
    Install(u64),
    /// It builds or checks the project: for the first time, and again after small changes.
    Build { first: u64, again: u64 },
}

/// Counts the steps of a command, and estimates how long those to come take.
pub(crate) struct Progress {
    command: &'static str,
    steps: Vec<(&'static str, Usual)>,
    done: usize,
    history: History,
    /// Time expected of the steps that tell about this machine, and the time that they took.
    expected: Duration,
    taken: Duration,
}

/// For each step that was done before, `None`, or the seconds that it took when it was not the first time.
type History = BTreeMap<String, Option<u64>>;

impl Progress {
    /// For a command and its steps, in their order.
    pub(crate) fn new(command: &'static str, steps: Vec<(&'static str, Usual)>) -> Self {
        let history = fs::read(workspace::target().join(FILE)).ok();
        // A file of another version of this program counts for nothing.
        let history = history.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
        Self { command, steps, done: 0, history, expected: Duration::ZERO, taken: Duration::ZERO }
    }

    /// Returns the line that says which step comes next, and counts it as done.
    pub(crate) fn next(&mut self) -> String {
        let left: Duration = self.steps[self.done..].iter().map(|step| self.estimate(*step)).sum();
        let step = self.steps[self.done];
        self.done += 1;
        let (number, all, name) = (self.done, self.steps.len(), step.0);
        let usually = roughly(self.estimate(step));
        if number == all {
            format!("[{number}/{all}] {name}, usually {usually}")
        } else {
            format!("[{number}/{all}] {name}, usually {usually}; {} left in all", roughly(left))
        }
    }

    /// Prints which step comes next, and runs it.
    ///
    /// # Errors
    /// As the step.
    pub(crate) fn run<T>(&mut self, step: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("\n{}", self.next());
        let stopwatch = Stopwatch::start();
        let result = step()?;
        println!("Done in {stopwatch}.");
        self.took(stopwatch.elapsed());
        Ok(result)
    }

    /// Takes note that the step that was last counted succeeded, for the estimates of this run and of the next.
    pub(crate) fn took(&mut self, taken: Duration) {
        let (name, usual) = self.steps[self.done - 1];
        self.learn(name, usual, taken);
        // Without it, the next run only estimates worse.
        let _ = serde_json::to_vec(&self.history).map(|json| fs::write(workspace::target().join(FILE), json));
    }

    fn learn(&mut self, name: &'static str, usual: Usual, taken: Duration) {
        let Usual::Build { .. } = usual else { return };
        if taken >= TELLING {
            self.expected += self.usual((name, usual));
            self.taken += taken;
        }
        let done_before = self.history.contains_key(&self.key(name));
        self.history.insert(self.key(name), done_before.then_some(taken.as_secs()));
    }

    /// Returns how long a step is expected to take on this machine.
    fn estimate(&self, step: (&'static str, Usual)) -> Duration {
        let usual = self.usual(step);
        if self.expected.is_zero() {
            usual
        } else {
            usual.mul_f64(self.taken.div_duration_f64(self.expected))
        }
    }

    fn usual(&self, (name, usual): (&'static str, Usual)) -> Duration {
        Duration::from_secs(match (usual, self.history.get(&self.key(name))) {
            (Usual::Install(seconds), _) => seconds,
            (Usual::Build { first, .. }, None) => first,
            (Usual::Build { again, .. }, Some(None)) => again,
            (Usual::Build { .. }, Some(Some(seconds))) => *seconds,
        })
    }

    fn key(&self, step: &str) -> String {
        format!("{} {step}", self.command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [(&str, Usual); 3] = [
        ("tools", Usual::Install(420)),
        ("backend", Usual::Build { first: 240, again: 30 }),
        ("frontend", Usual::Build { first: 180, again: 60 }),
    ];

    fn progress(history: &[(&str, Option<u64>)]) -> Progress {
        Progress {
            command: "dev",
            steps: STEPS.to_vec(),
            done: 0,
            history: history.iter().map(|(step, seconds)| (format!("dev {step}"), *seconds)).collect(),
            expected: Duration::ZERO,
            taken: Duration::ZERO,
        }
    }

    /// Counts a step without writing to the file that a real run reads.
    fn take(progress: &mut Progress, seconds: u64) -> String {
        let line = progress.next();
        let (name, usual) = progress.steps[progress.done - 1];
        progress.learn(name, usual, Duration::from_secs(seconds));
        line
    }

    #[test]
    fn each_step_has_its_number_and_what_is_left() {
        let mut progress = progress(&[]);
        assert_eq!(take(&mut progress, 420), "[1/3] tools, usually 7 minutes; 14 minutes left in all");
        assert_eq!(take(&mut progress, 240), "[2/3] backend, usually 4 minutes; 7 minutes left in all");
        assert_eq!(take(&mut progress, 180), "[3/3] frontend, usually 3 minutes");
    }

    #[test]
    fn a_fast_machine_shortens_what_is_left_and_a_download_does_not() {
        let mut progress = progress(&[]);
        take(&mut progress, 2);
        assert_eq!(take(&mut progress, 120), "[2/3] backend, usually 4 minutes; 7 minutes left in all");
        assert_eq!(take(&mut progress, 90), "[3/3] frontend, usually 2 minutes");
    }

    #[test]
    fn what_was_built_before_takes_as_long_as_the_last_time() {
        let mut second = progress(&[("backend", None), ("frontend", None)]);
        take(&mut second, 0);
        assert_eq!(take(&mut second, 20), "[2/3] backend, usually 1 minute; 2 minutes left in all");
        assert_eq!(second.history["dev backend"], Some(20));
        let mut third = progress(&[("backend", Some(300)), ("frontend", None)]);
        take(&mut third, 0);
        assert_eq!(take(&mut third, 0), "[2/3] backend, usually 5 minutes; 6 minutes left in all");
        assert_eq!(take(&mut third, 60), "[3/3] frontend, usually 1 minute");
    }
}

//! Numbers of the tests that ran, read from what the test runners print.

use std::ops::AddAssign;

/// Numbers of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Tests that passed.
    pub(crate) passed: usize,
    /// Tests that failed, or were cut off.
    pub(crate) failed: usize,
    /// Tests that were left out.
    pub(crate) ignored: usize,
}

impl Counts {
    /// Reads one line of `cargo test`: `test result: ok. 12 passed; 0 failed; 1 ignored; …`. Other lines add nothing.
    pub(crate) fn add_from_cargo(&mut self, line: &str) {
        let Some(result) = line.trim().strip_prefix("test result: ") else { return };
        for part in result.split([';', '.']) {
            let mut words = part.split_whitespace();
            if let (Some(Ok(number)), Some(kind)) = (words.next().map(str::parse::<usize>), words.next()) {
                match kind {
                    "passed" => self.passed += number,
                    "failed" => self.failed += number,
                    "ignored" => self.ignored += number,
                    _ => {}
                }
            }
        }
    }

    /// Reads one line of the summary of `node --test --test-reporter=spec`: `ℹ pass 12`. Other lines add nothing.
    pub(crate) fn add_from_node(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let (Some("ℹ"), Some(kind), Some(Ok(number)), None) =
            (words.next(), words.next(), words.next().map(str::parse::<usize>), words.next())
        else {
            return;
        };
        match kind {
            "pass" => self.passed += number,
            "fail" | "cancelled" => self.failed += number,
            "skipped" | "todo" => self.ignored += number,
            _ => {}
        }
    }

    /// Reads the line that `schemas.py` prints after each run: `schemas: 25 passed, 0 failed, 1 skipped`. Other lines add
    /// nothing.
    pub(crate) fn add_from_schemas(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("schemas: ") else { return };
        for part in result.split(", ") {
            if let Some((Ok(number), kind)) =
                part.split_once(' ').map(|(number, kind)| (number.parse::<usize>(), kind))
            {
                match kind {
                    "passed" => self.passed += number,
                    "failed" => self.failed += number,
                    "skipped" => self.ignored += number,
                    _ => {}
                }
            }
        }
    }

    /// Tells whether no test ran or was left out.
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_of_cargo_add_up() {
        let mut counts = Counts::default();
        for line in [
            "running 12 tests",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.02s",
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s",
        ] {
            counts.add_from_cargo(line);
        }
        assert_eq!(counts, Counts { passed: 16, failed: 2, ignored: 1 });
    }

    #[test]
    fn the_runs_over_the_description_add_up() {
        let mut counts = Counts::default();
        for line in [
            "--- nobody ---",
            "schemas: 24 passed, 1 failed, 0 skipped",
            "schemas: 2 passed, 0 failed, 3 skipped",
        ] {
            counts.add_from_schemas(line);
        }
        assert_eq!(counts, Counts { passed: 26, failed: 1, ignored: 3 });
    }

    #[test]
    fn the_summary_of_node_is_read_and_its_other_lines_are_not() {
        let mut counts = Counts::default();
        for line in [
            "✔ pass 7 things (3ms)",
            "ℹ tests 9",
            "ℹ pass 7",
            "ℹ fail 1",
            "ℹ cancelled 1",
            "ℹ duration_ms 41.5",
        ] {
            counts.add_from_node(line);
        }
        assert_eq!(counts, Counts { passed: 7, failed: 2, ignored: 0 });
    }
}

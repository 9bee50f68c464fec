//! Adds up what test harnesses report.

use std::fmt::{self, Display, Formatter};

/// The numbers of passed and failed tests, and the names of the failed ones.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many passed.
    pub(crate) passed: usize,
    /// How many failed.
    pub(crate) failed: usize,
    /// The names of failed tests, as far as their harness reported them.
    pub(crate) failures: Vec<String>,
}

impl Tally {
    /// Adds the counts of a closing line, such as `test result: ok. 3 passed; 0 failed; 0 ignored; …`, or the
    /// name in `test NAME ... FAILED`. Any other line is ignored.
    pub(crate) fn add(&mut self, line: &str) {
        if let Some(name) = failed_test(line) {
            self.failures.push(name.to_owned());
        }
        let Some((_, counts)) = line
            .strip_prefix("test result: ")
            .and_then(|result| result.split_once(". "))
        else {
            return;
        };
        for count in counts.split("; ") {
            match count.split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                // An ignored test proves nothing, so it counts as failed.
                Some((number, "failed" | "ignored")) => self.failed += number.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
}

fn failed_test(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

/// The failed tests, one a line, then the counts as the last line.
impl Display for Tally {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for name in &self.failures {
            writeln!(formatter, "failed: {name}")?;
        }
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_closing_lines_are_added_up() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test a_test_with_7_passed_in_its_name ... ok",
            "test module::a_broken_one ... FAILED",
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
        ] {
            tally.add(line);
        }
        assert_eq!((tally.passed, tally.failed), (4, 2));
        assert_eq!(
            tally.to_string(),
            "failed: module::a_broken_one\n4 passed, 2 failed"
        );
    }
}

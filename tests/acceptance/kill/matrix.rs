//! What became of all kills.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use anyhow::ensure;
use testbed::{Call, Hold};

use super::operation::{Repair, Victim};
use crate::harness::Case;

/// One kill, and what became of it.
pub(super) struct Row {
    pub(super) operation: &'static str,
    pub(super) call: Call,
    pub(super) victim: Victim,
    pub(super) hold: Hold,
    pub(super) outcome: anyhow::Result<Repair>,
    pub(super) took: Duration,
}

/// All kills of one kind of object.
pub(super) struct Matrix {
    pub(super) kind: &'static str,
    pub(super) rows: Vec<Row>,
}

impl Matrix {
    /// Prints the matrix, which is the report of the test, and fails if a kill was not survived.
    #[expect(clippy::print_stdout, reason = "the matrix is the report of the test")]
    pub(super) fn expect_survival(&self) -> Case {
        println!("{self}");
        let lost = self.rows.iter().filter(|row| row.outcome.is_err()).count();
        ensure!(lost == 0, "{lost} kills were not survived:\n{self}");
        Ok(())
    }
}

impl Display for Matrix {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { kind, rows } = self;
        rows.iter()
            .try_for_each(|row| writeln!(formatter, "{kind:<12}{row}"))
    }
}

impl Display for Row {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let victim = match self.victim {
            Victim::Provider => "provider",
            Victim::CommandLine => "command line",
        };
        let moment = match self.hold {
            Hold::BeforeEffect => "before",
            Hold::AfterEffect | Hold::For(_) => "after",
        };
        let call = format!("{} {}", self.call.method, self.call.route);
        let Self {
            operation, outcome, ..
        } = self;
        let seconds = self.took.as_secs_f32();
        write!(
            formatter,
            "{operation:<9}{call:<72}{victim:<14}{moment:<8}{seconds:>5.1} s  "
        )?;
        match outcome {
            Ok(repair) => write!(formatter, "finished, writes: {}", repair.writes),
            Err(error) => write!(formatter, "LOST: {error:#}"),
        }
    }
}

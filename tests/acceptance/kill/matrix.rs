//! The results of all kills.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use anyhow::ensure;
use testbed::{Call, Hold};

use super::operation::{Process, Recovery};
use crate::test_env::Case;

/// One kill and its result.
pub(super) struct Row {
    pub(super) operation: &'static str,
    pub(super) call: Call,
    pub(super) process: Process,
    pub(super) hold: Hold,
    pub(super) result: anyhow::Result<Recovery>,
    pub(super) duration: Duration,
}

/// All kills of one kind of object.
pub(super) struct Matrix {
    pub(super) kind: &'static str,
    pub(super) rows: Vec<Row>,
}

impl Matrix {
    /// Prints the matrix as the report of the test, and checks that every operation was finished after its kill.
    #[expect(clippy::print_stdout, reason = "the matrix is the report of the test")]
    pub(super) fn check_all_finished(&self) -> Case {
        println!("{self}");
        let failed = self.rows.iter().filter(|row| row.result.is_err()).count();
        ensure!(
            failed == 0,
            "{failed} operations were not finished after a kill:\n{self}"
        );
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
        let process = match self.process {
            Process::Provider => "provider",
            Process::CommandLine => "command line",
        };
        let moment = match self.hold {
            Hold::BeforeEffect => "before",
            Hold::AfterEffect | Hold::For(_) => "after",
        };
        let call = format!("{} {}", self.call.method, self.call.route);
        let Self {
            operation, result, ..
        } = self;
        let seconds = self.duration.as_secs_f32();
        write!(
            formatter,
            "{operation:<9}{call:<72}{process:<14}{moment:<8}{seconds:>5.1} s  "
        )?;
        match result {
            Ok(recovery) => write!(formatter, "finished, writes: {}", recovery.writes),
            Err(error) => write!(formatter, "FAILED: {error:#}"),
        }
    }
}

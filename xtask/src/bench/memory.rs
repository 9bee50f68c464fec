//! P2: memory once the schema is read.

use super::bench_bed::Bench;
use super::figure::{Figure, Value, megabytes};
use super::process::start;
use super::sample::medians_in_turn;

const STARTS: usize = 5;

/// Starts both providers in turn and looks at their resident memory.
pub(super) fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let (ours, floor) = medians_in_turn(
        STARTS,
        || Ok(start(&bench.provider().executable)?.resident_memory),
        || Ok(start(&bench.floor().executable)?.resident_memory),
    )?;
    Ok(Figure {
        id: "P2",
        metric: "resident memory after the schema is read",
        values: vec![Value {
            measured: megabytes(ours),
            limit: 12.0,
            unit: " MB",
        }],
        basis: format!("{STARTS} starts each; floor {:.2} MB", megabytes(floor)),
    })
}

//! P2: memory once the schema is read.

use super::bench_bed::Bench;
use super::figure::{Figure, Value, megabytes};
use super::metric::Metric;
use super::process::start;
use super::sample::medians_in_turn;

const STARTS: usize = 5;

pub(super) const METRIC: Metric = Metric {
    id: "P2",
    title: "resident memory after the schema is read",
    conclusion: "This is what a provider takes that is only loaded, as by `terraform validate`.",
    measure,
};

/// Starts both providers in turn and looks at their resident memory.
fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let (ours, floor) = medians_in_turn(
        STARTS,
        || Ok(start(&bench.provider().executable)?.resident_memory),
        || Ok(start(&bench.floor().executable)?.resident_memory),
    )?;
    Ok(Figure::new(
        vec![Value::new(megabytes(ours), 12.0, " MB")],
        format!("{STARTS} starts each; floor {:.2} MB", megabytes(floor)),
    ))
}

//! P2: memory once the schema is read.

use testbed::Provider;

use super::figure::{Figure, Value, megabytes};
use super::metric::Metric;
use super::provider_start::start;
use super::sample::medians_in_turn;
use super::setup::Bench;

const STARTS: usize = 5;

pub(super) const METRIC: Metric = Metric {
    id: "P2",
    title: "resident memory after the schema is read",
    conclusion: "This is what a provider takes that is only loaded, as by `terraform validate`.",
    measure,
};

/// Starts both providers in turn and looks at their resident memory.
fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let start = |provider: &Provider| {
        let executable = provider.executable.clone();
        move || Ok(start(&executable)?.resident_memory)
    };
    let [provider, floor] =
        medians_in_turn(STARTS, [start(bench.provider()?), start(bench.floor()?)])?;
    Ok(Figure::new(
        vec![Value::new(megabytes(provider), 12.0, " MB")],
        format!("{STARTS} starts each; floor {:.2} MB", megabytes(floor)),
    ))
}

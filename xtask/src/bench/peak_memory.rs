//! P12: the most memory that the provider holds while it applies 1,000 entities.

use std::thread;
use std::time::Duration;

use anyhow::Context;

use super::bench_bed::Bench;
use super::bodies;
use super::figure::{Figure, Value, megabytes};
use super::machine;
use super::metric::Metric;

const ENTITIES: usize = 1_000;

/// Memory is asked for so often; what a process takes in its last moment is missed.
const INTERVAL: Duration = Duration::from_millis(20);

pub(super) const METRIC: Metric = Metric {
    id: "P12",
    title: "peak memory, apply of 1,000 entities",
    conclusion: "This is the most that the provider holds beside Terraform. It has the manifests of a \
                 repository parsed once, not once for each resource.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let bed = bench.bed(bodies::PRODUCT)?;
    bed.write(&bodies::product_with_entities(ENTITIES))?;
    let mut apply = bed.workspace.start_apply(&[])?;
    let mut peak = None;
    while !apply.has_ended() {
        let processes = bed.workspace.provider_processes();
        peak = peak.max(processes.into_iter().filter_map(machine::peak_memory).max());
        thread::sleep(INTERVAL);
    }
    apply.finish()?.success()?;
    let peak = peak.context("this system does not tell how much memory was used")?;
    Ok(Figure::new(
        vec![Value::new(megabytes(peak), 60.0, " MB")],
        "one apply at parallelism 10; the largest of the provider's processes".to_owned(),
    ))
}

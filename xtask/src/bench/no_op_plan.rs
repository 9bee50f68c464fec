//! P4: a plan of 1,000 resources with nothing to do.

use super::bench_bed::Bench;
use super::bodies::product_with_projects;
use super::figure::{Figure, TIMES_FLOOR, Value};
use super::metric::Metric;
use super::sample::{medians_in_turn, time};

const RESOURCES: usize = 1_000;
const ROUNDS: usize = 5;

pub(super) const METRIC: Metric = Metric {
    id: "P4",
    title: "no-op plan of 1,000 resources",
    conclusion: "If nothing is to be done, a plan takes what Terraform itself takes; what the ratio exceeds \
                 1 by is what the provider adds.",
    measure,
};

/// Plans 1,000 applied resources of each provider in turn.
fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let nautes = bench.bed(&product_with_projects(RESOURCES - 1))?;
    let floor = bench.applied_floor(RESOURCES)?;
    let (ours, least) = medians_in_turn(
        ROUNDS,
        || time(|| Ok(nautes.workspace.assert_empty_plan("of the benchmark")?)),
        || time(|| Ok(floor.assert_empty_plan("of the benchmark")?)),
    )?;
    let ratio = ours.as_secs_f64() / least.as_secs_f64();
    Ok(Figure::new(
        vec![Value::new(ratio, 1.25, TIMES_FLOOR)],
        format!(
            "{ROUNDS} plans each: {:.2} s, floor {:.2} s",
            ours.as_secs_f64(),
            least.as_secs_f64()
        ),
    ))
}

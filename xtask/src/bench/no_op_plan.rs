//! P4: a plan of 1,000 resources with nothing to do.

use super::bench_bed::Bench;
use super::figure::{Figure, TIMES_FLOOR, Value};
use super::sample::{medians_in_turn, time};

const RESOURCES: usize = 1_000;
const ROUNDS: usize = 5;

/// Plans 1,000 applied resources of each provider in turn.
pub(super) fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let nautes = bench.applied_product(RESOURCES)?;
    let floor = bench.applied_floor(RESOURCES)?;
    let (ours, least) = medians_in_turn(
        ROUNDS,
        || time(|| Ok(nautes.workspace.assert_empty_plan("of the benchmark")?)),
        || time(|| Ok(floor.assert_empty_plan("of the benchmark")?)),
    )?;
    let ratio = ours.as_secs_f64() / least.as_secs_f64();
    Ok(Figure {
        id: "P4",
        metric: "no-op plan of 1,000 resources",
        values: vec![Value {
            measured: ratio,
            limit: 1.25,
            unit: TIMES_FLOOR,
        }],
        basis: format!(
            "{ROUNDS} plans each: {:.2} s, floor {:.2} s",
            ours.as_secs_f64(),
            least.as_secs_f64()
        ),
    })
}

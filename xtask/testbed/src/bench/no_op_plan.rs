//! P4: a plan of 1,000 resources without changes.

use std::time::Duration;

use testbed::Workspace;

use super::configurations::{floor_entities, product_with_projects};
use super::figure::{Figure, TIMES_FLOOR, Value};
use super::metric::Metric;
use super::sample::{medians_in_turn, time};
use super::setup::Bench;

const RESOURCES: usize = 1_000;
const ROUNDS: usize = 5;

pub(super) const METRIC: Metric = Metric {
    id: "P4",
    title: "no-op plan of 1,000 resources",
    conclusion: "A plan without changes should take what Terraform itself takes; what the ratio exceeds 1 by is what \
                 the provider adds.",
    measure,
};

/// Plans 1,000 applied resources of each provider in turn.
fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let stack = bench.stack(&product_with_projects(RESOURCES - 1))?;
    let floor = bench.applied(bench.floor()?, &floor_entities(RESOURCES))?;
    let [provider, floor] =
        medians_in_turn(ROUNDS, [empty_plan(&stack.workspace), empty_plan(&floor)])?;
    Ok(Figure::new(
        vec![Value::new(
            provider.as_secs_f64() / floor.as_secs_f64(),
            1.25,
            TIMES_FLOOR,
        )],
        format!(
            "{ROUNDS} plans each: {:.2} s, floor {:.2} s",
            provider.as_secs_f64(),
            floor.as_secs_f64()
        ),
    ))
}

/// Returns a measurement of how long a plan without changes takes.
pub(super) fn empty_plan(workspace: &Workspace) -> impl FnMut() -> anyhow::Result<Duration> {
    || time(|| Ok(workspace.assert_empty_plan("of the benchmark")?))
}

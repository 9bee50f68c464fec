//! P5: how much a plan gains from parallel requests, which is nothing if each request is quick.

use super::configurations::product_with_projects;
use super::figure::{Figure, Value};
use super::metric::Metric;
use super::sample::{medians_in_turn, time};
use super::setup::Bench;

const RESOURCES: usize = 50;
const ROUNDS: usize = 7;

pub(super) const METRIC: Metric = Metric {
    id: "P5",
    title: "plan of 50 resources, parallelism 1 over 10",
    conclusion: "If the ratio is near 1, the provider answers so quickly that it hardly matters whether Terraform \
                 sends one request at a time or ten. A provider with delays on its connection would show up to 10.",
    measure,
};

/// Plans 50 applied resources one after the other and ten at a time.
fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let stack = bench.stack(&product_with_projects(RESOURCES - 1))?;
    let plan = |argument: &'static str| {
        let workspace = &stack.workspace;
        move || time(|| Ok(workspace.plan_with(&[argument])?))
    };
    let [serial, parallel] =
        medians_in_turn(ROUNDS, [plan("-parallelism=1"), plan("-parallelism=10")])?;
    Ok(Figure::new(
        vec![Value::new(
            serial.as_secs_f64() / parallel.as_secs_f64(),
            1.5,
            "x",
        )],
        format!(
            "{ROUNDS} plans each: {:.2} s, {:.2} s",
            serial.as_secs_f64(),
            parallel.as_secs_f64()
        ),
    ))
}

//! P5: what parallel requests of a plan bring, which is nothing if each request is quick.

use super::bench_bed::Bench;
use super::bodies::product_with_projects;
use super::figure::{Figure, Value};
use super::metric::Metric;
use super::sample::{medians_in_turn, time};

const RESOURCES: usize = 50;
const ROUNDS: usize = 7;

pub(super) const METRIC: Metric = Metric {
    id: "P5",
    title: "plan of 50 resources, parallelism 1 over 10",
    conclusion: "If the ratio is near 1, requests to the provider are answered so quickly that it hardly \
                 matters whether Terraform sends one or ten at a time; a provider with delays on its \
                 connection would show up to 10.",
    measure,
};

/// Plans 50 applied resources one after the other and ten at a time.
fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let product = bench.bed(&product_with_projects(RESOURCES - 1))?;
    let plan = |argument: &'static str| {
        let workspace = &product.workspace;
        move || time(|| Ok(workspace.plan_with(&[argument])?))
    };
    let (serial, parallel) =
        medians_in_turn(ROUNDS, plan("-parallelism=1"), plan("-parallelism=10"))?;
    let ratio = serial.as_secs_f64() / parallel.as_secs_f64();
    Ok(Figure::new(
        vec![Value::new(ratio, 1.5, "x")],
        format!(
            "{ROUNDS} plans each: {:.2} s, {:.2} s",
            serial.as_secs_f64(),
            parallel.as_secs_f64()
        ),
    ))
}

//! P5: what parallel requests of a plan bring, which is nothing if each request is quick.

use super::bench_bed::Bench;
use super::figure::{Figure, Value};
use super::sample::{medians_in_turn, time};

const RESOURCES: usize = 50;
const ROUNDS: usize = 7;

/// Plans 50 applied resources one after the other and ten at a time.
pub(super) fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let product = bench.applied_product(RESOURCES)?;
    let plan = |argument: &'static str| {
        let workspace = &product.workspace;
        move || time(|| Ok(workspace.plan_with(&[argument])?))
    };
    let (serial, parallel) =
        medians_in_turn(ROUNDS, plan("-parallelism=1"), plan("-parallelism=10"))?;
    let ratio = serial.as_secs_f64() / parallel.as_secs_f64();
    Ok(Figure {
        id: "P5",
        metric: "plan of 50 resources, parallelism 1 over 10",
        values: vec![Value {
            measured: ratio,
            limit: 1.5,
            unit: "x",
        }],
        basis: format!(
            "{ROUNDS} plans each: {:.2} s, {:.2} s",
            serial.as_secs_f64(),
            parallel.as_secs_f64()
        ),
    })
}

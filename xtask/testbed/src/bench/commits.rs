//! P8: how many commits it takes to create 500 entities, and to destroy them.

use super::figure::{Figure, Value, number};
use super::mass_run::latencies;
use super::metric::Metric;
use super::scaling::{ENTITIES, chart, full_run};
use super::setup::Bench;

pub(super) const METRIC: Metric = Metric {
    id: "P8",
    title: "commits for 500 entities",
    conclusion: "The history of a configuration repository gets about one commit for each group of resources that \
                 Terraform works on at once. So it stays readable, and hundreds of entities do not take hundreds of \
                 times as long as one.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let (ten, fifty) = (full_run(bench, 10)?, full_run(bench, 50)?);
    let chart = chart(
        bench,
        "benchmarks-commits.svg",
        ("Commits to create entities", "commits"),
        |run| number(run.create.commits),
    )?;
    let values = vec![
        Value::count(ten.create.commits, 60, " to create at 10"),
        Value::count(ten.destroy.commits, 60, " to destroy at 10"),
        Value::count(fifty.create.commits, 20, " to create at 50"),
        Value::count(fifty.destroy.commits, 20, " to destroy at 50"),
    ];
    let basis = format!(
        "one run each at parallelism 10 and 50, with {}; one commit each would be {ENTITIES}",
        latencies()
    );
    Ok(Figure::new(values, basis).with_chart(chart))
}

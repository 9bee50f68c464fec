//! P9: how long it takes to create 500 entities, and to destroy them.

use super::bench_bed::Bench;
use super::figure::{Figure, Value};
use super::mass_run::pace;
use super::metric::Metric;
use super::scaling::{all, all_one_by_one, chart, one_by_one_basis};

pub(super) const METRIC: Metric = Metric {
    id: "P9",
    title: "wall time for 500 entities at parallelism 10",
    conclusion: "If the target is kept, hundreds of entities take less than half a minute with Terraform's \
                 default parallelism. The ratios to one by one are what common commits save.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let run = all(bench, 10)?;
    let (create, destroy) = (run.create.wall_time, run.destroy.wall_time);
    let create_singly = all_one_by_one(bench, |run| run.create.wall_time.as_secs_f64())?;
    let destroy_singly = all_one_by_one(bench, |run| run.destroy.wall_time.as_secs_f64())?;
    let chart = chart(
        bench,
        "benchmarks-wall-time.svg",
        ("Wall time to create entities", "seconds"),
        |run| run.create.wall_time.as_secs_f64(),
    )?;
    let values = vec![
        Value::seconds(create, 25.0, " s to create"),
        Value::seconds(destroy, 30.0, " s to destroy"),
    ];
    let basis = format!(
        "one run, with {}; {:.2}x and {:.2}x of one by one, which is {create_singly:.0} s and {destroy_singly:.0} s, {}",
        pace(),
        create.as_secs_f64() / create_singly,
        destroy.as_secs_f64() / destroy_singly,
        one_by_one_basis(),
    );
    Ok(Figure::new(values, basis).with_chart(chart))
}

//! P9: how long it takes to create 500 entities, and to destroy them.

use super::figure::{Figure, Value};
use super::mass_run::latencies;
use super::metric::Metric;
use super::scaling::{chart, extrapolated_serial_run, full_run, serial_basis};
use super::setup::Bench;

pub(super) const METRIC: Metric = Metric {
    id: "P9",
    title: "wall time for 500 entities at parallelism 10",
    conclusion: "If the target is met, hundreds of entities take less than half a minute with Terraform's default \
                 parallelism. The ratios to one by one are what shared commits save.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let run = full_run(bench, 10)?;
    let (create, destroy) = (run.create.wall_time, run.destroy.wall_time);
    let serial_create = extrapolated_serial_run(bench, |run| run.create.wall_time.as_secs_f64())?;
    let serial_destroy = extrapolated_serial_run(bench, |run| run.destroy.wall_time.as_secs_f64())?;
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
        "one run, with {}; {:.2}x and {:.2}x of one by one, which is {serial_create:.0} s and {serial_destroy:.0} s, {}",
        latencies(),
        create.as_secs_f64() / serial_create,
        destroy.as_secs_f64() / serial_destroy,
        serial_basis(),
    );
    Ok(Figure::new(values, basis).with_chart(chart))
}

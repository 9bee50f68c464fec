//! Measures the provider against its targets, as ratios within one run, and writes the results down.
//!
//! A metric is a file of this folder with a function that takes the [`Bench`] and returns its figures;
//! [`METRICS`] lists them. "Floor" is a provider on the same framework that does nothing: what is
//! slower than it is ours, what is as slow is Terraform's or the machine's.

mod bench_bed;
mod binary_size;
mod figure;
mod handshake;
mod machine;
mod memory;
mod no_op_plan;
mod parallelism;
mod process;
mod report;
mod sample;

use std::fs;

use anyhow::Context;
use testbed::cargo::workspace_root;
use testbed::progress::{say, step};

use self::bench_bed::Bench;
use self::figure::Figure;

/// What a metric's file provides.
type Measure = fn(&Bench) -> anyhow::Result<Figure>;

/// Every metric with the title under which its progress is shown.
const METRICS: [(&str, Measure); 5] = [
    ("P1 start to handshake", handshake::measure),
    ("P2 memory", memory::measure),
    ("P3 size", binary_size::measure),
    (
        "P4 plan of 1,000 resources with nothing to do",
        no_op_plan::measure,
    ),
    ("P5 parallelism", parallelism::measure),
];

/// Measures everything, writes `design/benchmarks.md`, and returns whether all targets are met.
pub(crate) fn run() -> anyhow::Result<bool> {
    let bench = Bench::prepare()?;
    let figures = METRICS
        .iter()
        .map(|(title, measure)| {
            step(title, || measure(&bench)).with_context(|| (*title).to_owned())
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let table = report::table(&figures);
    let path = workspace_root().join("design/benchmarks.md");
    fs::write(
        &path,
        report::page(&table, &machine::describe(bench.terraform())),
    )
    .with_context(|| format!("cannot write {}", path.display()))?;
    say(&format!("Written to {}", path.display()));
    #[expect(
        clippy::print_stdout,
        reason = "the figures are what the task is run for"
    )]
    {
        println!("\n{table}");
    }
    Ok(figures.iter().all(Figure::is_met))
}

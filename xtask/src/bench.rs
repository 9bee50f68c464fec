//! Measures the provider against its targets, as ratios within one run, and writes the results down.
//!
//! A metric is a file of this folder with a [`Metric`] in it; [`METRICS`] lists them. "Floor" is a
//! provider on the same framework that does nothing: what is slower than it is ours, what is as slow
//! is Terraform's or the machine's.

mod bench_bed;
mod binary_size;
mod bodies;
mod calls;
mod change_one;
mod chart;
mod commits;
mod figure;
mod gitlab_refresh;
mod handshake;
mod machine;
mod mass_run;
mod memory;
mod metric;
mod no_op_plan;
mod parallelism;
mod peak_memory;
mod process;
mod refresh_moved_head;
mod refresh_unchanged;
mod report;
mod repository_refresh;
mod sample;
mod scaling;
mod state_size;
mod vault_bed;
mod vault_reads;
mod vault_refresh;
mod wall_time;

use std::fs;
use std::path::Path;

use anyhow::Context;
use testbed::Terraform;
use testbed::cargo::{target_folder, workspace_root};
use testbed::progress::{say, step};

use self::bench_bed::Bench;
use self::metric::{Metric, select};
use self::report::Report;
use crate::static_target::Profile;

/// Every metric.
const METRICS: [Metric; 15] = [
    handshake::METRIC,
    memory::METRIC,
    binary_size::METRIC,
    no_op_plan::METRIC,
    parallelism::METRIC,
    refresh_unchanged::METRIC,
    refresh_moved_head::METRIC,
    commits::METRIC,
    wall_time::METRIC,
    vault_reads::METRIC,
    state_size::METRIC,
    peak_memory::METRIC,
    vault_refresh::METRIC,
    gitlab_refresh::METRIC,
    change_one::METRIC,
];

/// Measures the named metrics, or all if none is named, and returns whether their targets are met.
///
/// The results are merged into `design/benchmarks.md`, or, unless the build is the one that is released,
/// into `target/benchmarks/benchmarks.md`.
pub(crate) fn run(names: &[String], profile: Profile) -> anyhow::Result<bool> {
    let metrics = select(&METRICS, names)?;
    let folder = match profile {
        Profile::Dev => target_folder().join("benchmarks"),
        Profile::Release => workspace_root().join("design"),
    };
    let page = folder.join("benchmarks.md");
    let measures_all = metrics.len() == METRICS.len();
    let mut report = earlier_report(&page, measures_all)?;
    let bench = Bench::prepare(profile)?;
    let mut all_met = true;
    for metric in &metrics {
        let title = format!("{} {}", metric.id, metric.title);
        let figure = step(&title, || (metric.measure)(&bench)).with_context(|| title.clone())?;
        all_met &= figure.is_met();
        report.insert(metric, &figure);
        if let Some(chart) = &figure.chart {
            write(&folder.join(chart.file), &chart.svg()?)?;
        }
        // At once, so that an interrupted run keeps what it has measured.
        write(&page, &report.page(&METRICS))?;
    }
    say(&format!("Written to {}", page.display()));
    #[expect(
        clippy::print_stdout,
        reason = "the figures are what the task is run for"
    )]
    {
        println!("\n{}", report.table(metrics));
    }
    Ok(all_met)
}

/// What an earlier run wrote, if it is from this machine. Otherwise everything must be measured, since the
/// page names one machine for all figures.
fn earlier_report(page: &Path, measures_all: bool) -> anyhow::Result<Report> {
    let machine = machine::describe(Terraform::obtain()?);
    let earlier = fs::read_to_string(page)
        .ok()
        .and_then(|text| Report::parse(&text));
    match earlier {
        Some(earlier) if earlier.machine() == machine => Ok(earlier),
        Some(earlier) if !measures_all => anyhow::bail!(
            "the other figures in {} are from another machine ({}): measure all, or remove the file",
            page.display(),
            earlier.machine()
        ),
        _ => Ok(Report::new(machine)),
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let failure = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(failure)?;
    }
    fs::write(path, text).with_context(failure)
}

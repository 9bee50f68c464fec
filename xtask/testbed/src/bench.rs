//! Measures the provider against its targets and writes the figures down. Times are ratios within one run.
//!
//! Each metric is a file of this folder with a [`Metric`] in it; [`METRICS`] lists them. The floor is a provider on
//! the same framework that does nothing: what exceeds it is the provider's, the rest is Terraform's or the machine's.

mod binary_size;
mod calls;
mod change_binding;
mod change_one;
mod chart;
mod commits;
mod component_install;
mod configurations;
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
mod probe;
mod provider_start;
mod refresh_cpu;
mod refresh_moved_head;
mod refresh_unchanged;
mod report;
mod repositories;
mod repository_state;
mod sample;
mod scaling;
mod setup;
mod silent_server;
mod stack;
mod state_size;
mod terraform_data;
mod vault_reads;
mod vault_refresh;
mod wall_time;

use std::fs;
use std::path::Path;

use anyhow::Context;
use testbed::Terraform;
use testbed::cargo::{target_folder, workspace_root};
use testbed::progress::{say, step};

use self::metric::{Metric, select};
use self::report::Report;
use self::setup::Bench;
use crate::static_target::Profile;

/// Every metric.
const METRICS: [Metric; 21] = [
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
    component_install::METRIC,
    vault_refresh::METRIC,
    gitlab_refresh::METRIC,
    change_one::METRIC,
    change_binding::METRIC,
    repository_state::METRIC,
    refresh_cpu::METRIC,
    silent_server::METRIC,
    terraform_data::METRIC,
];

/// Measures the named metrics, or all of them without names, and returns whether their targets are met.
///
/// Merges the figures into `design/benchmarks.md`, or, for a build of the `dev` profile, into
/// `target/benchmarks/benchmarks.md`.
pub(crate) fn run(names: &[String], profile: Profile) -> anyhow::Result<bool> {
    let metrics = select(&METRICS, names)?;
    let folder = match profile {
        Profile::Dev => target_folder().join("benchmarks"),
        Profile::Release => workspace_root().join("design"),
    };
    let page = folder.join("benchmarks.md");
    let measures_all = metrics.len() == METRICS.len();
    let mut report = earlier_report(&page, measures_all)?;
    let bench = Bench::new(profile)?;
    let mut all_met = true;
    for metric in &metrics {
        let title = format!("{} {}", metric.id, metric.title);
        let figure = step(&title, || (metric.measure)(&bench)).with_context(|| title.clone())?;
        all_met &= figure.is_met();
        report.insert(metric, &figure);
        if let Some(chart) = &figure.chart {
            write(&folder.join(chart.file), &chart.svg()?)?;
        }
        // After each metric, so that an interrupted run keeps its figures.
        write(&page, &report.page(&METRICS))?;
    }
    say(&format!("Written to {}", page.display()));
    #[expect(
        clippy::print_stdout,
        reason = "the figures are the output of the task"
    )]
    {
        println!("\n{}", report.table(metrics));
    }
    Ok(all_met)
}

/// Reads the figures of an earlier run on this machine. After a run on another machine everything must be measured,
/// because the page names one machine for all figures.
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

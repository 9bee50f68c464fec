//! P18: the size of a code repository in the state.

use anyhow::Context;

use super::configurations::product_with_open_repository;
use super::figure::{Figure, Value};
use super::metric::Metric;
use super::setup::Bench;
use super::state_size::{Size, largest, sizes};

const MANY: usize = 120;

const LIMIT: usize = 2_000;

pub(super) const METRIC: Metric = Metric {
    id: "P18",
    title: "state per code repository",
    conclusion: "This is what the provider adds to the state for each code repository, besides Terraform's own \
                 framing. If the target is met, it does not grow with the number of repositories.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let alone = size_among(bench, 1)?;
    let among_many = size_among(bench, MANY)?;
    Ok(Figure::new(
        vec![
            Value::count(alone.total(), LIMIT, " bytes alone"),
            Value::count(among_many.total(), LIMIT, " bytes among 120"),
        ],
        format!(
            "the largest repository, one of {MANY} is open to all others; attributes {} and {}, private data {} and {} \
             as compact JSON",
            alone.attributes, among_many.attributes, alone.private_data, among_many.private_data,
        ),
    ))
}

fn size_among(bench: &Bench, repositories: usize) -> anyhow::Result<Size> {
    let stack = bench.vault_stack(&product_with_open_repository(repositories))?;
    // Refreshes, so that the state is as it stays.
    stack.apply(&[])?;
    let state = stack.workspace.state_file().context("there is no state")?;
    let sizes = sizes(&state, |kind| kind == "nautes_code_repo")?;
    largest(&sizes).context("no code repository is in the state")
}

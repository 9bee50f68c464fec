//! P15: what a refresh of 500 code repositories asks of GitLab if nothing has changed.

use super::bench_bed::Bench;
use super::calls::kinds;
use super::figure::{Figure, Value};
use super::metric::Metric;
use super::repository_refresh::{REPOSITORIES, basis};

/// How many projects of a group GitLab lists at once.
const PAGE: usize = 100;

/// The deploy keys and the access tokens.
const EACH: usize = 2;

/// The head of the branch, the group and the project, as without code repositories.
const PRODUCT: usize = 1 + 2;

pub(super) const METRIC: Metric = Metric {
    id: "P15",
    title: "GitLab calls to refresh 500 unchanged code repositories",
    conclusion: "The settings of repositories are taken from listings of their group, a hundred at a time. Only the \
                 keys and tokens, which GitLab lists for one project alone, take a call each; with more than 50 \
                 repositories in a project their keys fill further pages.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let calls = bench.repository_refresh().calls(bench)?.gitlab;
    // The configuration repository is in the listings, too.
    let listings = (REPOSITORIES + 1).div_ceil(PAGE);
    let limit = listings + EACH * REPOSITORIES + PRODUCT;
    Ok(Figure::new(
        vec![Value::count(calls.count(), limit, " calls")],
        format!("{}: {}", basis(), kinds(&calls)),
    ))
}

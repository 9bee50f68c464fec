//! P15: calls to GitLab to refresh 500 unchanged code repositories.

use super::calls::by_route;
use super::figure::{Figure, Value};
use super::metric::Metric;
use super::repositories::{REPOSITORIES, refresh_basis};
use super::setup::Bench;

/// How many projects of a group GitLab lists in one answer.
const PAGE: usize = 100;

/// The deploy keys and the access tokens of a repository.
const EACH: usize = 2;

/// The head of the branch, the group, the project and the listing of the tree, as for a product without
/// code repositories (P6), and one archive, from which the keys follow that are to be enabled.
const PRODUCT: usize = 2 + 1 + 1 + 1;

pub(super) const METRIC: Metric = Metric {
    id: "P15",
    title: "GitLab calls to refresh 500 unchanged code repositories",
    conclusion: "The settings of repositories come from listings of their group, a hundred at a time. Only keys and \
                 tokens take a call each, because GitLab lists them for one project alone; with more than 50 \
                 repositories in a project the keys take more pages.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let calls = bench.repositories()?.refresh_calls()?.gitlab;
    // The listings contain the configuration repository, too.
    let listings = (REPOSITORIES + 1).div_ceil(PAGE);
    let limit = listings + EACH * REPOSITORIES + PRODUCT;
    Ok(Figure::new(
        vec![Value::count(calls.count(), limit, " calls")],
        format!("{}: {}", refresh_basis(), by_route(&calls)),
    ))
}

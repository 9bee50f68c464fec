//! P17: calls to GitLab to change one binding of a product with 500 code repositories.

use std::time::Duration;

use super::calls::{by_route, commits, key_links};
use super::configurations::{binding_of_first_repository, product_with_repositories};
use super::figure::{Figure, Value};
use super::metric::Metric;
use super::repositories::{DESCRIPTION, IN_A_PROJECT, PROJECTS};
use super::setup::Bench;

/// The repository that is opened, and those of the project that gets access to it.
const TOUCHED: usize = 1 + IN_A_PROJECT;

/// One read-only key of each repository that gets access.
const LINKS: usize = IN_A_PROJECT;

/// The listing of the product's group in pages of a hundred. It proves that what the manifests name
/// belongs to the product: without it, a manifest could give away the repositories of others.
const LISTING: usize = (PROJECTS * IN_A_PROJECT + 1).div_ceil(100);

/// Six calls, the commit, the keys of each repository that is touched, one call for each link, and
/// the listing.
const LIMIT: usize = 6 + 1 + TOUCHED + LINKS + LISTING;

pub(super) const METRIC: Metric = Metric {
    id: "P17",
    title: "GitLab calls to change one binding of 500 code repositories",
    conclusion: "What a change of a binding costs depends on the repositories that it concerns, not on how many the \
                 product has.",
    measure,
};

/// Opens a repository to one more project.
fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let repositories = bench.repositories()?;
    let stack = &repositories.stack;
    let product = product_with_repositories(PROJECTS, IN_A_PROJECT);
    let apply = |projects: &[usize]| {
        stack.write(&format!(
            "{product}{}",
            binding_of_first_repository(projects)
        ))?;
        stack.apply(&["-refresh=false"])
    };
    apply(&[1])?;
    // GitLab serves five archives a minute, which the applies before this one may have used up.
    stack.gitlab.advance_clock(Duration::from_secs(60))?;
    let calls = apply(&[1, 2])?;
    repositories.reset()?;
    anyhow::ensure!(
        commits(&calls) == 1 && key_links(&calls) >= LINKS,
        "the binding was not changed as intended:\n{calls}"
    );
    Ok(Figure::new(
        vec![Value::count(calls.count(), LIMIT, " calls")],
        format!(
            "one apply with `-refresh=false` that opens a repository to {IN_A_PROJECT} more, {DESCRIPTION}: {}",
            by_route(&calls)
        ),
    ))
}

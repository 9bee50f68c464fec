//! P10: the calls that it takes to create 20 code repositories.

use super::calls::{key_links, reads};
use super::configurations::{product_with_projects, product_with_repositories};
use super::figure::{Figure, Value};
use super::metric::Metric;
use super::setup::Bench;

const REPOSITORIES: usize = 20;

const LIMIT: usize = 80;

pub(super) const METRIC: Metric = Metric {
    id: "P10",
    title: "Vault reads to create 20 code repositories of one project",
    conclusion: "The calls to Vault for a code repository do not grow with the number of repositories beside it. \
                 Those to GitLab do: the two keys of each repository of a project are enabled on every other one, \
                 with one call each, and one more for each key that may push.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let stack = bench.vault_stack(&product_with_projects(1))?;
    stack.write(&product_with_repositories(1, REPOSITORIES))?;
    let calls = stack.calls_during(|stack| stack.apply(&[]))?;
    let (vault, gitlab) = (&calls.vault, &calls.gitlab);
    Ok(Figure::new(
        vec![Value::count(reads(vault).count(), LIMIT, " reads")],
        format!(
            "one apply at parallelism 10 in an existing project; besides them {} writes to Vault, {} reads from and {} \
             writes to GitLab, {} of which give projects deploy keys",
            vault.writes().count(),
            reads(gitlab).count(),
            gitlab.writes().count(),
            key_links(gitlab),
        ),
    ))
}

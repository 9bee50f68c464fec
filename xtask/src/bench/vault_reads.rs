//! P10: what it asks of Vault and GitLab to create 20 code repositories.

use super::bench_bed::Bench;
use super::bodies;
use super::calls::{key_links, reads};
use super::figure::{Figure, Value};
use super::metric::Metric;

const REPOSITORIES: usize = 20;

const LIMIT: usize = 80;

pub(super) const METRIC: Metric = Metric {
    id: "P10",
    title: "Vault reads to create 20 code repositories of one project",
    conclusion: "What a code repository costs Vault does not grow with the number of repositories beside it. \
                 What it costs GitLab does: the two keys of each repository of a project are enabled on each other \
                 one, and GitLab takes a call for each, and one more for each key that may push.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let bed = bench.vault_bed(&bodies::product_with_projects(1))?;
    bed.bed
        .write(&bodies::product_with_repositories(1, REPOSITORIES))?;
    let created = bed.calls_of_apply(&[])?;
    let (vault, gitlab) = (&created.vault, &created.gitlab);
    Ok(Figure::new(
        vec![Value::count(reads(vault).count(), LIMIT, " reads")],
        format!(
            "one apply at parallelism 10 in a project that exists; beside them {} writes of Vault, {} reads and {} \
             writes of GitLab, {} of which link keys",
            vault.writes().count(),
            reads(gitlab).count(),
            gitlab.writes().count(),
            key_links(gitlab),
        ),
    ))
}

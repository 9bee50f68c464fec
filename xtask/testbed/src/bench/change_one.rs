//! P16: calls to GitLab to change one of 500 entities, and one of 500 code repositories.

use super::calls::by_route;
use super::configurations::{
    product_with_entities, product_with_first_language, product_with_first_repository,
};
use super::figure::{Figure, Value};
use super::metric::Metric;
use super::repositories::{IN_A_PROJECT, PROJECTS};
use super::setup::Bench;

const ENTITIES: usize = 500;

/// Five calls, the listing of the tree and the commit.
const ENTITY_LIMIT: usize = 5 + 1 + 1;

const REPOSITORY_LIMIT: usize = 8;

pub(super) const METRIC: Metric = Metric {
    id: "P16",
    title: "GitLab calls to change one of 500",
    conclusion: "A small change of a large product is a small run. For an entity the refresh of everything else is \
                 included, since whoever changes one entity waits for it too; a refresh of code repositories takes \
                 calls for each of them (P15), which `-refresh=false` saves.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let stack = bench.stack(&product_with_entities(ENTITIES))?;
    stack.apply(&[])?;
    stack.write(&product_with_first_language(ENTITIES, "go"))?;
    let entity = stack.apply(&[])?;
    stack.write(&product_with_first_language(ENTITIES, "zig"))?;
    let without_refresh = stack.apply(&["-refresh=false"])?;

    let repositories = bench.repositories()?;
    let stack = &repositories.stack;
    stack.write(&product_with_first_repository(
        PROJECTS,
        IN_A_PROJECT,
        "changed",
    ))?;
    let repository = stack.apply(&["-refresh=false"])?;
    repositories.reset()?;
    Ok(Figure::new(
        vec![
            Value::count(entity.count(), ENTITY_LIMIT, " calls for an entity"),
            Value::count(
                repository.count(),
                REPOSITORY_LIMIT,
                " calls for a code repository with `-refresh=false`",
            ),
        ],
        format!(
            "one apply each; for the entity, of whose calls {} remain with `-refresh=false`: {}; for the description \
             and the manifest of the repository: {}",
            without_refresh.count(),
            by_route(&entity),
            by_route(&repository),
        ),
    ))
}

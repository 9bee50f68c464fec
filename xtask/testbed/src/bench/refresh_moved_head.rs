//! P7: calls to GitLab to refresh 500 entities after the branch has moved.

use std::fs;

use anyhow::Context;
use testbed::Calls;

use super::calls::by_route;
use super::configurations::product_with_entities;
use super::figure::{Figure, Value};
use super::metric::Metric;
use super::refresh_unchanged::{ENTITIES, LIMIT, stack_with_bindings};
use super::setup::Bench;
use super::stack::Stack;

pub(super) const METRIC: Metric = Metric {
    id: "P7",
    title: "GitLab calls to refresh 500 entities after the branch moved",
    conclusion: "After somebody else's commit, and right after the apply that created the entities, a plan lists the \
                 files and reads only those that differ from what the state knows.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let entities = bench.stack(&product_with_entities(ENTITIES))?;
    let created = entities.refresh()?;
    let changed = refresh_changed(
        &entities,
        "nautes_project.bench[0]",
        ("language: rust", "language: go"),
    )?;
    let bindings = stack_with_bindings(bench)?;
    let changed_binding = refresh_changed(
        &bindings,
        "nautes_code_repo_binding.bench[0]",
        ("permissions: readonly", "permissions: readwrite"),
    )?;
    let limit = |differing: usize| LIMIT + differing;
    Ok(Figure::new(
        vec![
            Value::count(created.count(), limit(0), " calls right after creation"),
            Value::count(
                changed.count(),
                limit(1),
                " calls after a project was changed by hand",
            ),
            Value::count(
                changed_binding.count(),
                limit(1),
                " calls after a binding was changed by hand",
            ),
        ],
        format!(
            "one refresh each; after the change of a project {}",
            by_route(&changed)
        ),
    ))
}

/// Changes the manifest of an entity by hand after an apply without changes, and refreshes.
fn refresh_changed(
    stack: &Stack,
    address: &str,
    (from, to): (&str, &str),
) -> anyhow::Result<Calls> {
    stack.apply(&[])?;
    let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
    let clone = folder.path().join("clone");
    stack.clone_config_repository(&clone)?;
    let file = stack.attribute(address, "manifest_path")?;
    let manifest =
        fs::read_to_string(clone.join(&file)).with_context(|| format!("cannot read {file}"))?;
    let changed = manifest.replace(from, to);
    anyhow::ensure!(
        changed != manifest,
        "{file} does not contain `{from}`:\n{manifest}"
    );
    stack.commit("update", &file, &changed)?;
    stack.refresh()
}

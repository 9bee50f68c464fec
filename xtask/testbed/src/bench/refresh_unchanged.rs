//! P6: calls to GitLab to refresh 500 unchanged entities.

use testbed::Calls;

use super::calls::by_route;
use super::configurations::{
    product_with_bindings, product_with_entities, product_with_repository,
};
use super::figure::{Figure, Value};
use super::metric::Metric;
use super::setup::Bench;
use super::stack::{Stack, VaultStack};

/// How many entities are refreshed.
pub(super) const ENTITIES: usize = 500;

/// The group and the project of the product, the head of the branch, and the listing of the tree, which the
/// emulator gives in one answer, as recent versions of GitLab do.
pub(super) const LIMIT: usize = 2 + 1 + 1;

pub(super) const METRIC: Metric = Metric {
    id: "P6",
    title: "GitLab calls to refresh 500 unchanged entities",
    conclusion: "A plan of a product in which nothing has changed costs GitLab the same few calls however many \
                 entities the product has; reading each of them would cost one call each.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let entities = bench.stack(&product_with_entities(ENTITIES))?;
    let bindings = stack_with_bindings(bench)?;
    let entity_calls = refresh(&entities)?;
    let binding_calls = refresh(&bindings)?;
    let figure = Figure::new(
        vec![
            Value::count(
                entity_calls.count(),
                LIMIT,
                " calls for environments and projects",
            ),
            Value::count(
                binding_calls.count(),
                LIMIT,
                " calls for bindings and projects",
            ),
        ],
        format!(
            "`plan` or `plan -refresh-only`, whichever makes more calls, after an apply without changes; environments and \
             projects: {}",
            by_route(&entity_calls)
        ),
    );
    if entities.refresh_reports_changes()? || bindings.refresh_reports_changes()? {
        return Ok(figure.with_fault("`plan -refresh-only` reports changes"));
    }
    Ok(figure)
}

/// Refreshes in both ways after an apply without changes, and returns the calls of the more expensive one.
fn refresh(stack: &Stack) -> anyhow::Result<Calls> {
    stack.apply(&[])?;
    let plan = stack.plan(&[])?;
    let refresh = stack.refresh()?;
    Ok(if refresh.count() > plan.count() {
        refresh
    } else {
        plan
    })
}

/// Creates a product with bindings of a code repository that the state does not contain, so that a refresh does
/// not read it.
pub(super) fn stack_with_bindings(bench: &Bench) -> anyhow::Result<VaultStack> {
    let stack = bench.vault_stack(&product_with_repository())?;
    let repository = "nautes_code_repo.bench";
    let id = stack.attribute(repository, "id")?;
    stack
        .workspace
        .run(["state", "rm", repository])?
        .success()?;
    stack.apply_quickly(&product_with_bindings(ENTITIES, &id))?;
    Ok(stack)
}

//! Operations of one run that wait for each other to free a path.

use std::time::Instant;

use anyhow::ensure;
use serde_json::{Value, json};
use testbed::{Method, Outcome};

use crate::test_env::{Case, TestEnv};

/// The maximum time until a deadlock is detected, in seconds. It is generous, because without
/// detection the operations would wait until their time limits.
const DETECTION_LIMIT: u64 = 30;

const PRODUCTS: &str = r#"
resource "nautes_product" "one" {
  name = "bazaar"
}

resource "nautes_product" "other" {
  name = "market"
}
"#;

const REPOSITORIES: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_code_repo" "one" {
  product = nautes_product.shop.id
  name    = "source"
}

resource "nautes_code_repo" "other" {
  product = nautes_product.shop.id
  name    = "deployment"
}
"#;

fn swap(body: &str, one: &str, other: &str) -> String {
    let (one, other) = (format!("{one:?}"), format!("{other:?}"));
    body.replace(&one, "\"\"")
        .replace(&other, &one)
        .replace("\"\"", &other)
}

fn attribute(env: &TestEnv, address: &str, name: &str) -> anyhow::Result<Value> {
    let resource = env.workspace.resource(address)?;
    let value = resource.get(name).cloned();
    value.ok_or_else(|| anyhow::anyhow!("{address} has no {name}"))
}

fn paths(env: &TestEnv, kind: &str) -> anyhow::Result<Value> {
    let path = format!("/{kind}?per_page=100");
    Ok(env.gitlab.api(Method::GET, &path, None)?)
}

/// Applies without parallelism, and checks that the error names the occupant of the path and the possible solutions.
fn check_apply_without_parallelism(env: &TestEnv, occupant: &str) -> Case {
    let outcome = env.workspace.run([
        "apply",
        "-json",
        "-input=false",
        "-auto-approve",
        "-parallelism=1",
    ])?;
    ensure!(outcome.exit_code() == Some(1), "{}", outcome.text());
    let text = outcome.text();
    for part in [
        occupant,
        "-parallelism=2",
        "third name",
        "Nothing was renamed",
    ] {
        ensure!(text.contains(part), "{part:?} is missing: {text}");
    }
    Ok(())
}

#[test]
fn two_products_swap_their_names() -> Case {
    let env = TestEnv::new(PRODUCTS)?;
    env.workspace.apply()?;
    let one = attribute(&env, "nautes_product.one", "id")?;
    env.write(&swap(PRODUCTS, "bazaar", "market"))?;
    env.workspace.apply()?;
    assert_eq!(attribute(&env, "nautes_product.one", "id")?, one);
    assert_eq!(
        attribute(&env, "nautes_product.one", "full_path")?,
        "market"
    );
    assert_eq!(
        attribute(&env, "nautes_product.other", "full_path")?,
        "bazaar"
    );
    Ok(())
}

#[test]
fn a_swap_that_fails_halfway_is_finished_by_the_next_apply() -> Case {
    let env = TestEnv::new(PRODUCTS)?;
    env.workspace.apply()?;
    env.write(&swap(PRODUCTS, "bazaar", "market"))?;
    // Both find the path taken, and one is moved aside; then a call of one of the two is refused.
    env.gitlab.inject_fault(&json!({
        "method": "PUT", "path": "/groups/", "skip": 3, "times": 1,
        "failure": { "respond": { "status": 400, "body": { "message": "not today" } } },
    }))?;
    let text = env.workspace.failing_apply()?.text();
    ensure!(text.contains("not today"), "{text}");
    env.gitlab.clear_faults()?;
    env.workspace.apply()?;
    for (address, path, name) in [
        ("nautes_product.one", "market", "bazaar"),
        ("nautes_product.other", "bazaar", "market"),
    ] {
        assert_eq!(attribute(&env, address, "full_path")?, path);
        // A name that nobody has set stays as it was.
        assert_eq!(attribute(&env, address, "display_name")?, name);
    }
    Ok(())
}

#[test]
fn swapping_product_names_without_parallelism_fails_with_advice_and_renames_nothing() -> Case {
    let env = TestEnv::new(PRODUCTS)?;
    env.workspace.apply()?;
    let before = paths(&env, "groups")?;
    env.write(&swap(PRODUCTS, "bazaar", "market"))?;
    check_apply_without_parallelism(&env, "is product-")?;
    assert_eq!(paths(&env, "groups")?, before);
    Ok(())
}

#[test]
fn swapping_repository_names_without_parallelism_fails_with_advice_and_renames_nothing() -> Case {
    let env = TestEnv::with_vault(REPOSITORIES)?;
    env.workspace.apply()?;
    let before = paths(&env, "projects")?;
    env.write(&swap(REPOSITORIES, "source", "deployment"))?;
    check_apply_without_parallelism(&env, "is repo-")?;
    assert_eq!(paths(&env, "projects")?, before);
    Ok(())
}

const BEFORE: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_code_repo" "before" {
  product = nautes_product.shop.id
  name    = "checkout"
}
"#;

fn errors(outcome: &Outcome) -> Vec<String> {
    outcome
        .errors()
        .map(|error| error.summary.clone())
        .collect()
}

#[test]
fn a_creation_and_a_deletion_on_one_path_both_fail_soon_while_a_binding_uses_the_repository() -> Case
{
    let env = TestEnv::with_vault(BEFORE)?;
    env.workspace.apply()?;
    let id = attribute(&env, "nautes_code_repo.before", "id")?;
    let id = id.as_str().unwrap_or_default();
    let product = attribute(&env, "nautes_product.shop", "id")?;
    let product = product.as_str().unwrap_or_default();
    let binding = format!(
        "apiVersion: nautes.resource.nautes.io/v1alpha1\nkind: CodeRepoBinding\nmetadata:\n  name: outside\nspec:\n  codeRepo: {id}\n  permissions: readonly\n  product: {product}\n"
    );
    let path = format!("code-repos/{id}/outside.yaml");
    env.commit(
        "shop/default.project",
        &json!([{ "action": "create", "file_path": path, "content": binding }]),
    )?;
    let project = |env: &TestEnv| {
        env.gitlab
            .api(Method::GET, "/projects/shop%2Fcheckout", None)
    };
    let before = project(&env)?;

    env.write(&BEFORE.replace("\"before\"", "\"after\""))?;
    let started = Instant::now();
    let outcome = env.workspace.failing_apply()?;
    let waited = started.elapsed().as_secs();
    ensure!(waited < DETECTION_LIMIT, "it took {waited} s");
    let errors = errors(&outcome);
    assert_eq!(errors.len(), 2, "{errors:?}");
    for name in ["description", "id", "path", "marked_for_deletion_on"] {
        assert_eq!(project(&env)?[name], before[name], "{name}");
    }
    let addresses = env.workspace.addresses()?;
    let has = |name: &str| addresses.contains(&format!("nautes_code_repo.{name}"));
    ensure!(has("before") && !has("after"), "{addresses:?}");
    Ok(())
}

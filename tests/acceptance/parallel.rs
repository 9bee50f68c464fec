//! Many resources in parallel, and two runs in parallel.

use std::collections::BTreeMap;
use std::thread;

use anyhow::{Context, anyhow, bail, ensure};
use serde_json::json;
use testbed::{Call, Invocation, Workspace, at_least, at_most};

use crate::test_env::{Case, TestEnv};

const PRODUCTS: [&str; 3] = ["bazaar", "market", "shop"];

/// The number of environments and projects in a product.
const ENTITIES: usize = 20;

/// The maximum number of commits of a configuration repository after their creation, including the first two.
const MAX_COMMITS: usize = 10;

/// The writes that create a product: the group, the project with its first commit, the second commit, and the removal
/// of the group's mark.
const WRITES_OF_PRODUCT: usize = 4;

/// The calls that refresh a product: the group, the project, and the head of the branch.
const READS_OF_PRODUCT: usize = 3;

/// Three products, each with ten environments and ten projects.
const MEMBERS: &str = r#"
locals {
  members = {
    for pair in setproduct(["bazaar", "market", "shop"], range(10)) :
    "${pair[0]}-${pair[1]}" => { product = pair[0], number = pair[1] }
  }
}

resource "nautes_environment" "this" {
  for_each = local.members

  product  = nautes_product.this[each.value.product].id
  name     = "environment-${each.value.number}"
  cluster  = "deployment-${each.value.number}"
  env_type = "test"
}

resource "nautes_project" "this" {
  for_each = local.members

  product  = nautes_product.this[each.value.product].id
  name     = "project-${each.value.number}"
  language = "rust"
}
"#;

const ONLY_PRODUCTS: &str = r#"
resource "nautes_product" "this" {
  for_each = toset(["bazaar", "market", "shop"])
  name     = each.key
}
"#;

/// The changes of manifests in a repository's history.
struct History {
    commits: usize,
    /// How often each manifest was added, and how often deleted.
    changes: BTreeMap<String, (usize, usize)>,
}

impl History {
    /// Reads the history from a fresh clone; fails if a manifest was modified.
    fn load(env: &TestEnv, product: &str) -> anyhow::Result<Self> {
        let log = Invocation::new("git")
            .args([
                "log",
                "--format=format:commit",
                "--name-status",
                "--no-renames",
            ])
            .current_dir(env.clone(&format!("{product}/default.project"))?)
            .finish()?
            .success()?;
        let mut history = Self {
            commits: 0,
            changes: BTreeMap::new(),
        };
        for line in log.stdout.lines() {
            match line.split_once('\t') {
                None => history.commits += usize::from(line == "commit"),
                Some((status, path))
                    if path.starts_with("envs/") || path.starts_with("projects/") =>
                {
                    history.add(status, path)?;
                }
                Some(_) => {}
            }
        }
        Ok(history)
    }

    fn add(&mut self, status: &str, path: &str) -> Case {
        let (added, deleted) = self.changes.entry(path.to_owned()).or_default();
        match status {
            "A" => *added += 1,
            "D" => *deleted += 1,
            _ => bail!("{path} was modified ({status})"),
        }
        Ok(())
    }

    /// Checks that this many manifests were each added once and deleted `deletions` times.
    fn check_each_once(&self, manifests: usize, deletions: usize) -> Case {
        let all_once = self
            .changes
            .values()
            .all(|counts| *counts == (1, deletions));
        ensure!(
            self.changes.len() == manifests && all_once,
            "expected {manifests} manifests, added once and deleted {deletions} times; found {:?}",
            self.changes
        );
        Ok(())
    }
}

/// Checks the history of each product.
fn check_each_change_once(env: &TestEnv, deletions: usize, max_commits: usize) -> Case {
    for product in PRODUCTS {
        let history = History::load(env, product)?;
        ensure!(
            history.commits <= max_commits,
            "{product} has {} commits",
            history.commits
        );
        history
            .check_each_once(ENTITIES, deletions)
            .with_context(|| format!("in the history of {product}"))?;
    }
    Ok(())
}

fn create_and_destroy_all(parallelism: usize) -> Case {
    let parallelism = format!("-parallelism={parallelism}");
    let apply = |env: &TestEnv| {
        let (applied, calls) = env
            .gitlab
            .calls_during(|| env.workspace.apply_with(&[&parallelism]))?;
        applied?;
        anyhow::Ok(calls)
    };
    let empty_plan = |env: &TestEnv| {
        let (plan, calls) = env.gitlab.calls_during(|| env.workspace.plan())?;
        let plan = plan?;
        ensure!(plan.is_empty(), "not empty: {plan}");
        Ok(calls)
    };

    let env = TestEnv::new(&format!("{ONLY_PRODUCTS}{MEMBERS}"))?;
    let calls = apply(&env)?;
    let entity_commits = MAX_COMMITS - 2;
    calls.writes().assert_calls(at_most(
        PRODUCTS.len() * (WRITES_OF_PRODUCT + entity_commits),
    ));
    check_each_change_once(&env, 0, MAX_COMMITS)?;

    // The head has advanced since all but the last were created, so the tree is listed, too.
    empty_plan(&env)?.assert_calls(at_most(PRODUCTS.len() * (READS_OF_PRODUCT + 1)));

    env.write(ONLY_PRODUCTS)?;
    apply(&env)?
        .writes()
        .assert_calls(at_most(PRODUCTS.len() * entity_commits));
    check_each_change_once(&env, 1, MAX_COMMITS + entity_commits)?;
    env.workspace.destroy()?;
    env.check_products_marked_for_deletion(PRODUCTS.len(), &PRODUCTS)
}

#[test]
fn sixty_entities_of_three_products_are_created_ten_at_a_time() -> Case {
    create_and_destroy_all(10)
}

#[test]
fn sixty_entities_of_three_products_are_created_fifty_at_a_time() -> Case {
    create_and_destroy_all(50)
}

/// Returns a configuration with environments in the product `shop`, which another run created.
fn environments(prefix: &str, first_cluster: usize) -> String {
    format!(
        r#"
data "nautes_product" "shop" {{
  name = "shop"
}}

resource "nautes_environment" "this" {{
  count = 15

  product  = data.nautes_product.shop.id
  name     = "{prefix}-${{count.index}}"
  cluster  = "deployment-${{count.index + {first_cluster}}}"
  env_type = "test"
}}
"#
    )
}

#[test]
fn two_concurrent_runs_on_one_repository_lose_no_change() -> Case {
    let product = TestEnv::new("resource \"nautes_product\" \"shop\" {\n  name = \"shop\"\n}\n")?;
    product.workspace.apply()?;
    // Slow commits give the runs time to interfere, with few changes per commit.
    let slow = json!({ "latency_commit": 80, "gap_before_parent": 20 });
    product.gitlab.update_switches(&slow)?;
    let bodies = [environments("left", 0), environments("right", 15)];
    let runs = bodies
        .iter()
        .map(|body| product.new_workspace(body))
        .collect::<Result<Vec<_>, _>>()?;
    let in_parallel = |command: fn(&Workspace) -> anyhow::Result<()>| {
        thread::scope(|scope| {
            let started: Vec<_> = runs
                .iter()
                .map(|run| scope.spawn(|| command(run)))
                .collect();
            started
                .into_iter()
                .try_for_each(|run| run.join().map_err(|_| anyhow!("a run panicked"))?)
        })
    };

    in_parallel(|run| Ok(run.apply_with(&["-parallelism=3"]).map(drop)?))?;
    let is_lost_race = |call: &Call| call.is_write() && call.status == Some(400);
    let lost_races = product.gitlab.calls()?.filter(is_lost_race);
    lost_races.assert_calls(at_least(1));
    for run in &runs {
        run.assert_empty_plan("after two runs in parallel")?;
    }
    History::load(&product, "shop")?.check_each_once(30, 0)?;
    let kustomization =
        product.read_file("shop/default.project", "production/kustomization.yaml")?;
    assert_eq!(
        kustomization.matches("envs/").count(),
        30,
        "{kustomization}"
    );

    in_parallel(|run| Ok(run.destroy().map(drop)?))?;
    History::load(&product, "shop")?.check_each_once(30, 1)?;
    let kustomization =
        product.read_file("shop/default.project", "production/kustomization.yaml")?;
    assert_eq!(kustomization.matches("envs/").count(), 0, "{kustomization}");
    product.workspace.assert_empty_plan("of the product")?;
    Ok(())
}

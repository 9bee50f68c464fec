//! Many resources at once, and two runs at once.

use std::collections::BTreeMap;
use std::thread;

use anyhow::{Context, anyhow, bail, ensure};
use serde_json::json;
use testbed::{Call, Invocation, Workspace, at_least, at_most, exactly};

use crate::harness::{Case, Stage};

const PRODUCTS: [&str; 3] = ["bazaar", "market", "shop"];

/// Environments and projects in a product.
const ENTITIES: usize = 20;

/// Commits of a configuration repository when these are made, the two included that it begins with.
const MOST_COMMITS: usize = 10;

/// Calls that make a product: the group, the project with its first commit, the second commit, the group's mark off.
const WRITES_OF_PRODUCT: usize = 4;

/// Calls to look at a product: the group, the project, and the head of the branch.
const LOOK: usize = 3;

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

/// What became of the manifests in a repository's history.
struct History {
    commits: usize,
    /// How often each was added, and how often deleted.
    deeds: BTreeMap<String, (usize, usize)>,
}

impl History {
    /// Reads it from a fresh clone; a manifest that was changed is an error.
    fn of(stage: &Stage, product: &str) -> anyhow::Result<Self> {
        let log = Invocation::new("git")
            .args([
                "log",
                "--format=format:commit",
                "--name-status",
                "--no-renames",
            ])
            .current_dir(stage.clone(&format!("{product}/default.project"))?)
            .finish()?
            .success()?;
        let mut history = Self {
            commits: 0,
            deeds: BTreeMap::new(),
        };
        for line in log.stdout.lines() {
            match line.split_once('\t') {
                None => history.commits += usize::from(line == "commit"),
                Some((deed, path))
                    if path.starts_with("envs/") || path.starts_with("projects/") =>
                {
                    history.note(deed, path)?;
                }
                Some(_) => {}
            }
        }
        Ok(history)
    }

    fn note(&mut self, deed: &str, path: &str) -> Case {
        let (added, deleted) = self.deeds.entry(path.to_owned()).or_default();
        match deed {
            "A" => *added += 1,
            "D" => *deleted += 1,
            _ => bail!("{path} was changed ({deed})"),
        }
        Ok(())
    }

    /// Checks that this many manifests were each added once and deleted `deletions` times.
    fn expect_each_once(&self, manifests: usize, deletions: usize) -> Case {
        let all_once = self.deeds.values().all(|deeds| *deeds == (1, deletions));
        ensure!(
            self.deeds.len() == manifests && all_once,
            "{manifests} manifests were to be added once and deleted {deletions} times: {:?}",
            self.deeds
        );
        Ok(())
    }
}

/// Checks the history of each product.
fn expect_each_change_once(stage: &Stage, deletions: usize, most_commits: usize) -> Case {
    for product in PRODUCTS {
        let history = History::of(stage, product)?;
        ensure!(
            history.commits <= most_commits,
            "{product} has {} commits",
            history.commits
        );
        history
            .expect_each_once(ENTITIES, deletions)
            .with_context(|| format!("in the history of {product}"))?;
    }
    Ok(())
}

fn create_and_destroy_all(parallelism: usize) -> Case {
    let parallelism = format!("-parallelism={parallelism}");
    let apply = |stage: &Stage| {
        let (applied, calls) = stage
            .gitlab
            .calls_during(|| stage.workspace.apply_with(&[&parallelism]))?;
        applied?;
        anyhow::Ok(calls)
    };
    let empty_plan = |stage: &Stage| {
        let (plan, calls) = stage.gitlab.calls_during(|| stage.workspace.plan())?;
        let plan = plan?;
        ensure!(plan.is_empty(), "not empty: {plan}");
        Ok(calls)
    };

    let stage = Stage::with(&format!("{ONLY_PRODUCTS}{MEMBERS}"))?;
    let calls = apply(&stage)?;
    let of_entities = MOST_COMMITS - 2;
    calls
        .writes()
        .assert_calls(at_most(PRODUCTS.len() * (WRITES_OF_PRODUCT + of_entities)));
    expect_each_change_once(&stage, 0, MOST_COMMITS)?;

    // The head has moved since all but the last were made: besides, the tree and the kustomization are read.
    empty_plan(&stage)?.assert_calls(at_most(PRODUCTS.len() * (LOOK + 2)));
    apply(&stage)?.assert_calls(at_most(PRODUCTS.len() * (LOOK + 2)));
    empty_plan(&stage)?.assert_calls(exactly(PRODUCTS.len() * LOOK));

    stage.write(ONLY_PRODUCTS)?;
    apply(&stage)?
        .writes()
        .assert_calls(at_most(PRODUCTS.len() * of_entities));
    expect_each_change_once(&stage, 1, MOST_COMMITS + of_entities)?;
    stage.workspace.destroy()?;
    stage.expect_only_remains(PRODUCTS.len(), &PRODUCTS)
}

#[test]
fn sixty_entities_of_three_products_are_made_ten_at_a_time() -> Case {
    create_and_destroy_all(10)
}

#[test]
fn sixty_entities_of_three_products_are_made_fifty_at_a_time() -> Case {
    create_and_destroy_all(50)
}

/// Environments in the product `shop`, which another run made.
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
fn two_runs_at_once_in_one_repository_lose_no_change() -> Case {
    let product = Stage::with("resource \"nautes_product\" \"shop\" {\n  name = \"shop\"\n}\n")?;
    product.workspace.apply()?;
    // Time for the other run to come between, and few changes in each commit.
    let slow = json!({ "latency_commit": 80, "gap_before_parent": 20 });
    product.gitlab.change_switches(&slow)?;
    let bodies = [environments("left", 0), environments("right", 15)];
    let runs = bodies
        .iter()
        .map(|body| product.beside(body))
        .collect::<Result<Vec<_>, _>>()?;
    let at_once = |work: fn(&Workspace) -> anyhow::Result<()>| {
        thread::scope(|scope| {
            let begun: Vec<_> = runs.iter().map(|run| scope.spawn(|| work(run))).collect();
            begun
                .into_iter()
                .try_for_each(|run| run.join().map_err(|_| anyhow!("a run panicked"))?)
        })
    };

    at_once(|run| Ok(run.apply_with(&["-parallelism=3"]).map(drop)?))?;
    let lost = |call: &Call| call.is_write() && call.status == Some(400);
    let lost_races = product.gitlab.calls()?.only(lost);
    lost_races.assert_calls(at_least(1));
    for run in &runs {
        run.assert_empty_plan("after two runs at once")?;
    }
    History::of(&product, "shop")?.expect_each_once(30, 0)?;
    let kustomization =
        product.manifest("shop/default.project", "production/kustomization.yaml")?;
    assert_eq!(
        kustomization.matches("envs/").count(),
        30,
        "{kustomization}"
    );

    at_once(|run| Ok(run.destroy().map(drop)?))?;
    History::of(&product, "shop")?.expect_each_once(30, 1)?;
    let kustomization =
        product.manifest("shop/default.project", "production/kustomization.yaml")?;
    assert_eq!(kustomization.matches("envs/").count(), 0, "{kustomization}");
    product.workspace.assert_empty_plan("of the product")?;
    Ok(())
}

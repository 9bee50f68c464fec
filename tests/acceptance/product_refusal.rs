//! What a user reads of a change that the rules of the model refuse.

use serde_json::json;
use testbed::{Method, exactly};

use crate::harness::{Case, Stage};

const SHOP: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_environment" "build" {
  product  = nautes_product.shop.id
  name     = "build"
  cluster  = "vc-build"
  env_type = "build"
}
"#;

const CLUSTER: &str = include_str!("../../crates/nautes-model/tests/golden/manifests/cluster.yaml");

fn environment(name: &str, cluster: &str) -> String {
    format!(
        r#"
resource "nautes_environment" "{name}" {{
  product  = nautes_product.shop.id
  name     = "{name}"
  cluster  = "{cluster}"
  env_type = "test"
}}
"#
    )
}

/// A stage with a tenant's repository that holds one cluster.
fn stage() -> anyhow::Result<Stage> {
    let mut stage = Stage::with(SHOP)?;
    let group = json!({ "name": "nautes", "path": "nautes" });
    let group = stage.gitlab.api(Method::POST, "/groups", Some(&group))?;
    let project = json!({
        "path": "management",
        "namespace_id": group.get("id"),
        "default_branch": "main",
        "initialize_with_readme": true,
    });
    stage
        .gitlab
        .api(Method::POST, "/projects", Some(&project))?;
    stage.commit(
        "nautes/management",
        &json!([{
            "action": "create",
            "file_path": "nautes/overlays/production/clusters/vc-build.yaml",
            "content": CLUSTER,
        }]),
    )?;
    stage
        .workspace
        .set_env("NAUTES_TENANT_REPOSITORY_PROJECT", "nautes/management");
    stage.workspace.apply()?;
    Ok(stage)
}

#[test]
fn a_refused_environment_is_told_with_the_product_and_the_clusters_that_exist() -> Case {
    let stage = stage()?;
    let again = environment("again", "vc-build");
    let elsewhere = environment("elsewhere", "vc-bulid");
    stage.write(&format!("{SHOP}{again}{elsewhere}"))?;
    let (outcome, calls) = stage
        .gitlab
        .calls_during(|| stage.workspace.failing_apply())?;
    let outcome = outcome?;
    calls.writes().assert_calls(exactly(0));
    let of = |name: &str| {
        let address = format!("nautes_environment.{name}");
        let error = outcome
            .errors()
            .find(|error| error.address.as_ref() == Some(&address));
        error.map(ToString::to_string).unwrap_or_default()
    };
    let (again, elsewhere) = (of("again"), of("elsewhere"));
    assert!(
        again.contains("of product `shop` both use cluster `vc-build`"),
        "{again}"
    );
    assert!(
        elsewhere.contains("`vc-bulid` does not exist")
            && elsewhere.contains("The tenant has: `vc-build`."),
        "{elsewhere}"
    );
    for (text, line) in [
        (&again, r#"cluster  = "vc-build""#),
        (&elsewhere, r#"cluster  = "vc-bulid""#),
    ] {
        assert!(text.contains(line), "{text}");
    }
    Ok(())
}

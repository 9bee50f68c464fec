//! Errors of a change that violates the rules of the model.

use serde_json::json;
use testbed::{Method, exactly};

use crate::test_env::{Case, TestEnv};

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

/// Makes an environment with a tenant repository that holds one cluster, and applies.
fn applied_env() -> anyhow::Result<TestEnv> {
    let mut env = TestEnv::new(SHOP)?;
    let group = json!({ "name": "nautes", "path": "nautes" });
    let group = env.gitlab.api(Method::POST, "/groups", Some(&group))?;
    let project = json!({
        "path": "management",
        "namespace_id": group.get("id"),
        "default_branch": "main",
        "initialize_with_readme": true,
    });
    env.gitlab.api(Method::POST, "/projects", Some(&project))?;
    env.commit(
        "nautes/management",
        &json!([{
            "action": "create",
            "file_path": "nautes/overlays/production/clusters/vc-build.yaml",
            "content": CLUSTER,
        }]),
    )?;
    env.workspace
        .set_env("NAUTES_TENANT_REPOSITORY_PROJECT", "nautes/management");
    env.workspace.apply()?;
    Ok(env)
}

#[test]
fn the_error_for_a_refused_environment_names_the_product_and_the_existing_clusters() -> Case {
    let env = applied_env()?;
    let again = environment("again", "vc-build");
    let elsewhere = environment("elsewhere", "vc-bulid");
    env.write(&format!("{SHOP}{again}{elsewhere}"))?;
    let (outcome, calls) = env.gitlab.calls_during(|| env.workspace.failing_apply())?;
    let outcome = outcome?;
    calls.writes().assert_calls(exactly(0));
    let error_of = |name: &str| {
        let address = format!("nautes_environment.{name}");
        let error = outcome
            .errors()
            .find(|error| error.address.as_ref() == Some(&address));
        error.map(ToString::to_string).unwrap_or_default()
    };
    let (again, elsewhere) = (error_of("again"), error_of("elsewhere"));
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

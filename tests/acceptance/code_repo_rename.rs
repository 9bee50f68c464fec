//! Renames of code repositories, and of projects that own them.

use testbed::exactly;

use crate::code_repo::{CHECKOUT, SHOP};
use crate::test_env::{Case, TestEnv};

const TWO: &str = r#"
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

#[test]
fn two_repositories_swap_their_names_and_a_new_one_takes_a_freed_name() -> Case {
    let env = TestEnv::with_vault(TWO)?;
    env.workspace.apply_with(&[])?;
    let id = |name: &str| -> anyhow::Result<_> {
        let repo = env
            .workspace
            .resource(&format!("nautes_code_repo.{name}"))?;
        Ok((repo["id"].clone(), repo["name"].clone()))
    };
    let ((one, _), (other, _)) = (id("one")?, id("other")?);
    let swapped = TWO
        .replace(r#""source""#, "\"\"")
        .replace(r#""deployment""#, r#""source""#)
        .replace("\"\"", r#""deployment""#);
    env.write(&swapped)?;
    env.workspace.apply()?;
    assert_eq!(id("one")?, (one.clone(), "deployment".into()));
    assert_eq!(id("other")?, (other.clone(), "source".into()));
    let project = env.clone("shop/deployment")?;
    assert!(project.join("README.md").is_file());

    let third = "\nresource \"nautes_code_repo\" \"third\" {\n  product = nautes_product.shop.id\n  name    = \"source\"\n}\n";
    env.write(&format!(
        "{}{third}",
        swapped.replace(r#""source""#, r#""tests""#)
    ))?;
    env.workspace.apply()?;
    assert_eq!(id("other")?, (other, "tests".into()));
    assert_eq!(id("third")?.1, "source");
    Ok(())
}

#[test]
fn a_renamed_project_keeps_its_repositories() -> Case {
    let env = TestEnv::with_vault(SHOP)?;
    env.workspace.apply_with(&[])?;
    let before = env.workspace.resource(CHECKOUT)?;
    env.write(&SHOP.replace(
        "name     = \"checkout\"\n  language",
        "name     = \"till\"\n  language",
    ))?;
    let (applied, calls) = env.gitlab.calls_during(|| env.workspace.apply_with(&[]))?;
    applied?;
    calls.to_route("POST /projects").assert_calls(exactly(0));
    env.workspace.assert_empty_plan("after apply")?;
    let after = env.workspace.resource(CHECKOUT)?;
    assert_eq!(after["id"], before["id"]);
    let id = after["id"].as_str().unwrap_or_default();
    let path = format!("code-repos/{id}/{id}.yaml");
    let manifest = env.read_file("shop/default.project", &path)?;
    assert!(manifest.contains("  project: till\n"), "{manifest}");
    Ok(())
}

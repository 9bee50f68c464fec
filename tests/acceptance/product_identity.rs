//! Import by identity, which Terraform and OpenTofu support since 1.12.

use testbed::Terraform;

use crate::test_env::{Case, TestEnv};

const SHOP: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_environment" "staging" {
  product  = nautes_product.shop.id
  name     = "staging"
  cluster  = "deployment-01"
  env_type = "staging"
}

resource "nautes_project" "checkout" {
  product  = nautes_product.shop.id
  name     = "checkout"
  language = "rust"
}
"#;

fn import_block(address: &str, identity: &str) -> String {
    format!("import {{\n  to = {address}\n  identity = {{ {identity} }}\n}}\n")
}

#[test]
fn a_product_and_its_entities_are_imported_by_identity() -> Case {
    let env = TestEnv::with_terraform(&Terraform::obtain_with_identity()?, SHOP)?;
    env.workspace.apply()?;
    let product = env.workspace.resource("nautes_product.shop")?;
    let product_id = format!("product_id = {}", product["id"]);
    let addresses = env.workspace.addresses()?;
    assert_eq!(addresses.len(), 3, "{addresses:?}");
    for address in &addresses {
        env.workspace.run(["state", "rm", address])?;
    }
    let blocks = [
        import_block("nautes_product.shop", &product_id),
        import_block(
            "nautes_environment.staging",
            &format!("{product_id}, name = \"staging\""),
        ),
        import_block(
            "nautes_project.checkout",
            &format!("{product_id}, name = \"checkout\""),
        ),
    ];
    env.write(&format!("{SHOP}{}", blocks.concat()))?;
    let (applied, calls) = env.gitlab.calls_during(|| env.workspace.apply_with(&[]))?;
    applied?;
    calls.writes().assert_calls(testbed::exactly(0));
    env.write(SHOP)?;
    env.workspace.assert_empty_plan("after the import")?;
    assert_eq!(env.workspace.addresses()?, addresses);
    Ok(())
}

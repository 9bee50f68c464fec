//! What exists is imported by its identity, which command lines know since 1.12.

use testbed::Terraform;

use crate::harness::{Case, Stage};

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

fn import(address: &str, identity: &str) -> String {
    format!("import {{\n  to = {address}\n  identity = {{ {identity} }}\n}}\n")
}

#[test]
fn a_product_and_its_entities_are_imported_by_identity() -> Case {
    let stage = Stage::run_by(&Terraform::obtain_with_identity()?, SHOP)?;
    stage.workspace.apply()?;
    let product = stage.workspace.resource("nautes_product.shop")?;
    let product_id = format!("product_id = {}", product["id"]);
    let addresses = stage.workspace.addresses()?;
    assert_eq!(addresses.len(), 3, "{addresses:?}");
    for address in &addresses {
        stage.workspace.run(["state", "rm", address])?;
    }
    let blocks = [
        import("nautes_product.shop", &product_id),
        import(
            "nautes_environment.staging",
            &format!("{product_id}, name = \"staging\""),
        ),
        import(
            "nautes_project.checkout",
            &format!("{product_id}, name = \"checkout\""),
        ),
    ];
    stage.write(&format!("{SHOP}{}", blocks.concat()))?;
    let (applied, calls) = stage
        .gitlab
        .calls_during(|| stage.workspace.apply_with(&[]))?;
    applied?;
    calls.writes().assert_calls(testbed::exactly(0));
    stage.write(SHOP)?;
    stage.workspace.assert_empty_plan("after the import")?;
    assert_eq!(stage.workspace.addresses()?, addresses);
    Ok(())
}

//! The examples of the documentation, as their readers would run them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{Case, Stage};

fn folders(kind: &str) -> anyhow::Result<Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(kind);
    let entries = fs::read_dir(root)?.collect::<Result<Vec<_>, _>>()?;
    let mut folders: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    folders.sort();
    anyhow::ensure!(!folders.is_empty(), "there are no examples of {kind}");
    Ok(folders)
}

#[test]
fn the_example_of_every_resource_applies_with_an_empty_plan_after_it_and_is_imported_by_a_block()
-> Case {
    for folder in folders("resources")? {
        let example = fs::read_to_string(folder.join("resource.tf"))?;
        let stage = Stage::with_vault(&example)?;
        stage.workspace.apply()?;
        let type_name = folder
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let addresses = stage.workspace.addresses()?;
        let address = addresses
            .iter()
            .find(|address| address.starts_with(&format!("{type_name}.")));
        let address = address.ok_or_else(|| anyhow::anyhow!("{type_name} was not made"))?;
        let id = stage.workspace.resource(address)?["id"].clone();
        stage.workspace.run(["state", "rm", address])?;
        let block = format!("import {{\n  to = {address}\n  id = {id}\n}}\n");
        stage.write(&format!("{example}\n{block}"))?;
        stage.workspace.apply()?;
        stage.write(&example)?;
        stage.workspace.assert_empty_plan("after the import")?;
        stage.workspace.destroy()?;
    }
    Ok(())
}

#[test]
fn the_example_of_every_data_source_is_valid() -> Case {
    for folder in folders("data-sources")? {
        let stage = Stage::with(&fs::read_to_string(folder.join("data-source.tf"))?)?;
        stage.workspace.validate()?;
    }
    Ok(())
}

#[test]
fn data_sources_read_what_resources_made() -> Case {
    let stage = Stage::with(
        r#"
resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_environment" "this" {
  for_each = toset(["build", "staging"])
  product  = nautes_product.shop.id
  name     = each.key
  cluster  = "cluster-${each.key}"
  env_type = "test"
}

resource "nautes_project" "checkout" {
  product  = nautes_product.shop.id
  name     = "checkout"
  language = "rust"
}

data "nautes_product" "by_name" {
  name = nautes_product.shop.name
}

data "nautes_environment" "by_id" {
  id = nautes_environment.this["build"].id
}

data "nautes_project" "by_name" {
  product = nautes_product.shop.id
  name    = nautes_project.checkout.name
}

data "nautes_environments" "matching" {
  product    = nautes_product.shop.id
  name_regex = "^st"
  depends_on = [nautes_environment.this]
}

data "nautes_products" "all" {
  depends_on = [nautes_product.shop]
}

output "found" {
  value = [
    data.nautes_product.by_name.id == nautes_product.shop.id,
    data.nautes_environment.by_id.cluster,
    data.nautes_project.by_name.language,
    join(",", data.nautes_environments.matching.environments[*].name),
    join(",", data.nautes_products.all.products[*].name),
  ]
}
"#,
    )?;
    stage.workspace.apply()?;
    let outputs = stage.workspace.outputs()?;
    let found = serde_json::json!([true, "cluster-build", "rust", "staging", "shop"]);
    assert!(
        outputs.to_string().contains(&found.to_string()),
        "{outputs}"
    );
    Ok(())
}

//! The examples in the documentation, run as a reader would run them.

use std::fs;
use std::path::{Path, PathBuf};

use testbed::{Provider, Terraform, Workspace};

use crate::test_env::{Case, TestEnv};

/// Kinds whose examples need a cluster.
const NEED_A_CLUSTER: [&str; 3] = [
    "nautes_cluster",
    "nautes_deployment_runtime",
    "nautes_pipeline_runtime",
];

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// Copies the files of a folder of `examples/` into a folder.
fn copy(example: &str, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(examples().join(example))? {
        let entry = entry?;
        fs::copy(entry.path(), folder.join(entry.file_name()))?;
    }
    Ok(())
}

fn folders(kind: &str) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(examples().join(kind))?.collect::<Result<Vec<_>, _>>()?;
    let mut folders: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    folders.sort();
    anyhow::ensure!(!folders.is_empty(), "there are no examples of {kind}");
    Ok(folders)
}

#[test]
fn every_resource_example_applies_with_an_empty_plan_afterwards_and_is_imported_by_a_block() -> Case
{
    for folder in folders("resources")? {
        let example = fs::read_to_string(folder.join("resource.tf"))?;
        let env = TestEnv::with_vault(&example)?;
        if NEED_A_CLUSTER.iter().any(|kind| folder.ends_with(kind)) {
            // The clusters are not there; tests of each kind apply the same to real ones.
            env.workspace.write("kubeconfig", "")?;
            env.workspace.write("kubeconfig-host", "")?;
            env.workspace.validate()?;
            continue;
        }
        env.workspace.apply()?;
        let type_name = folder
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let addresses = env.workspace.addresses()?;
        let address = addresses
            .iter()
            .find(|address| address.starts_with(&format!("{type_name}.")));
        let address = address.ok_or_else(|| anyhow::anyhow!("{type_name} was not created"))?;
        let id = env.workspace.resource(address)?["id"].clone();
        env.workspace.run(["state", "rm", address])?;
        let block = format!("import {{\n  to = {address}\n  id = {id}\n}}\n");
        env.write(&format!("{example}\n{block}"))?;
        env.workspace.apply()?;
        env.write(&example)?;
        env.workspace.assert_empty_plan("after the import")?;
        env.workspace.destroy()?;
    }
    Ok(())
}

#[test]
fn every_data_source_example_is_valid() -> Case {
    for folder in folders("data-sources")? {
        let env = TestEnv::new(&fs::read_to_string(folder.join("data-source.tf"))?)?;
        env.workspace.validate()?;
    }
    Ok(())
}

#[test]
fn every_way_to_log_in_to_vault_is_a_valid_configuration() -> Case {
    let folder = examples().join("provider");
    for method in ["token", "approle", "jwt", "kubernetes"] {
        let example = folder.join(format!("vault-{method}.tf"));
        let env = TestEnv::new(&fs::read_to_string(example)?)?;
        env.workspace.validate()?;
    }
    Ok(())
}

#[test]
fn the_complete_examples_are_valid_roots() -> Case {
    let provider = Provider::nautes(env!("CARGO_BIN_EXE_terraform-provider-nautes"));
    for example in ["complete", "quickstart"] {
        let workspace = Workspace::new(Terraform::obtain()?, &provider)?;
        copy(example, &workspace.path())?;
        let module = "modules/microservice";
        copy(module, &workspace.path().join("..").join(module))?;
        workspace.run(["get"])?.success()?;
        workspace.validate()?;
    }
    Ok(())
}

#[test]
fn the_examples_are_formatted() -> Case {
    let provider = Provider::nautes(env!("CARGO_BIN_EXE_terraform-provider-nautes"));
    let workspace = Workspace::new(Terraform::obtain()?, &provider)?;
    let folder = examples().display().to_string();
    workspace
        .run(["fmt", "-check", "-diff", "-recursive", &folder])?
        .success()?;
    Ok(())
}

#[test]
fn data_sources_read_what_resources_created() -> Case {
    let env = TestEnv::new(
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
    env.workspace.apply()?;
    let outputs = env.workspace.outputs()?;
    let found = serde_json::json!([true, "cluster-build", "rust", "staging", "shop"]);
    assert!(
        outputs.to_string().contains(&found.to_string()),
        "{outputs}"
    );
    Ok(())
}

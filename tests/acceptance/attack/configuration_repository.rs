//! Files and manifests of other people in a product's configuration repository.

use serde_json::json;

use super::repo_number;
use crate::safety::SMALL;
use crate::test_env::{Case, TestEnv};

const KUSTOMIZATION: &str = "production/kustomization.yaml";

#[test]
fn files_of_people_survive_each_change() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let notes = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: notes\n";
    let files = ["people/notes.yaml", "envs/notes.yaml", "envs/README.md"];
    let actions: Vec<_> = files
        .iter()
        .map(|file| json!({ "action": "create", "file_path": file, "content": notes }))
        .collect();
    env.commit("shop/default.project", &json!(actions))?;
    env.write(&SMALL.replace("env_type = \"staging\"", "env_type = \"production\""))?;
    env.workspace.apply_with(&[])?;
    let (rest, _) = SMALL
        .split_once("resource \"nautes_environment\"")
        .unwrap_or_default();
    env.write(rest)?;
    env.workspace.apply_with(&["-refresh=false"])?;
    for file in files {
        assert_eq!(env.read_file("shop/default.project", file)?, notes);
    }
    Ok(())
}

#[test]
fn a_file_of_people_at_the_path_of_a_manifest_is_not_overwritten() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let notes = "Notes of people: [not a manifest\n";
    let actions = json!([
        { "action": "create", "file_path": "envs/notes.yaml", "content": notes },
    ]);
    env.commit("shop/default.project", &actions)?;
    let before = env.living()?;
    env.write(&format!("{SMALL}resource \"nautes_environment\" \"notes\" {{\n  product = nautes_product.p.id\n  name = \"notes\"\n  cluster = \"deployment-01\"\n  env_type = \"staging\"\n}}\n"))?;
    env.refused(&["apply", "-auto-approve", "-no-color"])?;
    assert_eq!(env.living()?, before);
    Ok(())
}

#[test]
fn a_manifest_of_a_repository_elsewhere_strips_no_keys_of_it() -> Case {
    let people = r#"
resource "nautes_product" "people" {
  name = "people"
}

resource "nautes_project" "x" {
  product = nautes_product.people.id
  name    = "x"
}

resource "nautes_code_repo" "one" {
  product = nautes_product.people.id
  project = nautes_project.x.name
  name    = "one"
}

resource "nautes_code_repo" "two" {
  product = nautes_product.people.id
  project = nautes_project.x.name
  name    = "two"
}
"#;
    let env = TestEnv::with_vault(&format!("{SMALL}{people}"))?;
    env.workspace.apply_with(&[])?;
    let one = env.workspace.resource("nautes_code_repo.one")?;
    // As it is left when a repository was moved to another product by hand.
    let number = repo_number(&env)?;
    let ours = format!("code-repos/repo-{number}/repo-{number}.yaml");
    let manifest = env.read_file("shop/default.project", &ours)?;
    let theirs = one["project_id"].to_string();
    let manifest = manifest
        .replace(&format!("repo-{number}"), &format!("repo-{theirs}"))
        .replace("repoName: a", "repoName: one");
    let path = format!("code-repos/repo-{theirs}/repo-{theirs}.yaml");
    let kustomization = env.read_file("shop/default.project", KUSTOMIZATION)?;
    let entry = format!("- ../code-repos/repo-{number}/repo-{number}.yaml\n");
    let more = format!("{entry}- ../{path}\n");
    let actions = json!([
        { "action": "create", "file_path": path, "content": manifest },
        { "action": "update", "file_path": KUSTOMIZATION, "content": kustomization.replace(&entry, &more) },
    ]);
    env.commit("shop/default.project", &actions)?;
    let keys = || env.deploy_keys("people/one");
    let before = keys()?;
    assert!(before.len() > 2, "{before:?}");
    let binding = format!(
        "\nresource \"nautes_code_repo_binding\" \"b\" {{\n  product     = nautes_product.p.id\n  name        = \"b\"\n  code_repo   = \"repo-{theirs}\"\n  permissions = \"readonly\"\n}}\n"
    );
    env.write(&format!("{SMALL}{people}{binding}"))?;
    let text = env
        .workspace
        .run(["apply", "-auto-approve", "-no-color"])?
        .text();
    let after = keys()?;
    for key in before {
        assert!(after.contains(&key), "{key} of {after:?}: {text}");
    }
    Ok(())
}

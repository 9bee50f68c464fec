//! Files and manifests of other people in a product's configuration repository.

use serde_json::json;

use crate::safety::SMALL;
use crate::test_env::{Case, TestEnv};

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

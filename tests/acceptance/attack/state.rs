//! States that were copied, edited or written by older versions.

use serde_json::Value;

use super::repo_number;
use crate::safety::{ENVIRONMENT, REPO, SMALL};
use crate::test_env::{Case, TestEnv};

#[test]
fn a_tainted_repository_is_not_taken_over_by_a_second_address() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let before = env.living()?;
    env.workspace.run(["taint", REPO])?.success()?;
    let moved = format!(
        "{}\nmoved {{\n  from = nautes_code_repo.a\n  to   = nautes_code_repo.c\n}}\n",
        SMALL.replace("\"nautes_code_repo\" \"a\"", "\"nautes_code_repo\" \"c\"")
    );
    env.write(&moved)?;
    env.workspace.run(["untaint", REPO])?.success()?;
    env.workspace.apply_with(&[])?;
    assert_eq!(env.living()?, before);
    Ok(())
}

#[test]
fn a_removed_block_and_a_forgotten_resource_leave_everything() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let before = env.living()?;
    let number = repo_number(&env)?;
    let (rest, _) = SMALL
        .split_once("resource \"nautes_code_repo\"")
        .unwrap_or_default();
    env.write(&format!(
        "{rest}removed {{\n  from = nautes_code_repo.a\n  lifecycle {{\n    destroy = false\n  }}\n}}\n"
    ))?;
    env.workspace.apply_with(&[])?;
    env.workspace.run(["state", "rm", ENVIRONMENT])?.success()?;
    env.write(SMALL)?;
    env.workspace.import(REPO, &format!("repo-{number}"))?;
    env.workspace.import(ENVIRONMENT, "shop/staging")?;
    env.workspace.apply_with(&[])?;
    assert_eq!(env.living()?["parts"], before["parts"]);
    assert_eq!(env.living()?["vault"], before["vault"]);
    Ok(())
}

#[test]
fn another_workspace_with_an_equal_configuration_takes_over_no_group_or_project() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let before = env.living()?;
    env.workspace
        .run(["workspace", "new", "other"])?
        .success()?;
    env.refused(&["apply", "-auto-approve", "-no-color"])?;
    env.workspace
        .run(["destroy", "-auto-approve", "-no-color"])?;
    assert_eq!(env.living()?, before);
    Ok(())
}

#[test]
fn a_repository_with_the_name_of_another_ones_address_is_replaced_by_no_swap_of_blocks() -> Case {
    let second = "resource \"nautes_code_repo\" \"b\" {\n  product = nautes_product.p.id\n  name    = \"b\"\n}\n";
    let env = TestEnv::with_vault(&format!("{SMALL}{second}"))?;
    env.workspace.apply_with(&[])?;
    let before = env.living()?;
    // Two addresses change places, with moved blocks over a third one.
    let swapped = format!("{SMALL}{second}")
        .replace("\"nautes_code_repo\" \"a\"", "\"nautes_code_repo\" \"t\"")
        .replace("\"nautes_code_repo\" \"b\"", "\"nautes_code_repo\" \"u\"");
    env.write(&format!(
        "{swapped}\nmoved {{\n  from = nautes_code_repo.a\n  to   = nautes_code_repo.t\n}}\n\nmoved {{\n  from = nautes_code_repo.b\n  to   = nautes_code_repo.u\n}}\n"
    ))?;
    env.workspace.apply_with(&["-refresh=false"])?;
    env.workspace
        .assert_empty_plan("after the addresses have moved")?;
    assert_eq!(env.living()?, before);
    Ok(())
}

#[test]
fn two_holders_in_an_older_state_delete_nothing() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let second = "resource \"nautes_code_repo\" \"b\" {\n  product      = nautes_product.p.id\n  name         = \"a\"\n  access_token = {}\n}\n";
    env.write(&format!("{SMALL}{second}"))?;
    env.workspace.import("nautes_code_repo.b", "shop/a")?;
    env.edit_state(|_, instance| instance["private"] = Value::Null)?;
    let before = env.living()?;
    env.write(SMALL)?;
    env.workspace.run(["apply", "-auto-approve", "-no-color"])?;
    assert_eq!(env.living()?, before);
    Ok(())
}

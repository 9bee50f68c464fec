//! Taking over what others hold.

use serde_json::json;
use testbed::Method;

use super::repo_number;
use crate::safety::SMALL;
use crate::test_env::{Case, TestEnv};

#[test]
fn an_adoption_without_an_access_token_revokes_none() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let before = env.living()?;
    let second = env.new_workspace(
        "resource \"nautes_code_repo\" \"b\" {\n  product = \"shop\"\n  name = \"a\"\n  adopt_existing = true\n}\n",
    )?;
    let mut second = second;
    second.set_env("NAUTES_VAULT_ADDRESS", env.vault()?.url());
    second.set_env("NAUTES_VAULT_TOKEN", env.vault()?.root_token());
    let text = second.run(["apply", "-auto-approve", "-no-color"])?.text();
    assert_eq!(env.living()?["parts"], before["parts"], "{text}");
    assert_eq!(env.living()?["vault"], before["vault"], "{text}");
    Ok(())
}

#[test]
fn an_adoption_keeps_a_token_that_people_have_made() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let group = env.workspace.resource(crate::safety::PRODUCT)?["group_id"].clone();
    let notes = env.project_by_hand(&group, "notes")?;
    let token = json!({
        "name": "accesstoken-api", "scopes": ["api"], "access_level": 40,
        "expires_at": "2027-01-01",
    });
    let tokens = format!("/projects/{notes}/access_tokens");
    env.gitlab.api(Method::POST, &tokens, Some(&token))?;
    let before = env.gitlab.api(Method::GET, &tokens, None)?;
    env.write(&format!("{SMALL}resource \"nautes_code_repo\" \"notes\" {{\n  product = nautes_product.p.id\n  name = \"notes\"\n  adopt_existing = true\n}}\n"))?;
    env.workspace.run(["apply", "-auto-approve", "-no-color"])?;
    let after = env.gitlab.api(Method::GET, &tokens, None)?;
    assert_eq!(after[0]["active"], before[0]["active"], "{after}");
    Ok(())
}

#[test]
fn a_name_in_other_case_adopts_nothing() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let group = env.workspace.resource(crate::safety::PRODUCT)?["group_id"].clone();
    env.project_by_hand(&group, "Notes")?;
    env.group_by_hand("People")?;
    let before = env.living()?;
    env.write(&format!("{SMALL}resource \"nautes_code_repo\" \"notes\" {{\n  product = nautes_product.p.id\n  name = \"notes\"\n  adopt_existing = true\n}}\n\nresource \"nautes_product\" \"people\" {{\n  name = \"people\"\n  adopt_existing = true\n}}\n"))?;
    env.refused(&["apply", "-auto-approve", "-no-color"])?;
    assert_eq!(env.living()?, before);
    Ok(())
}

#[test]
fn a_configuration_repository_is_adopted_by_no_code_repository() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let before = env.living()?;
    for name in ["default.project", "Default.Project"] {
        env.write(&format!("{SMALL}resource \"nautes_code_repo\" \"d\" {{\n  product = nautes_product.p.id\n  name = \"{name}\"\n  adopt_existing = true\n}}\n"))?;
        env.refused(&["apply", "-auto-approve", "-no-color"])?;
    }
    assert_eq!(env.living()?, before);
    Ok(())
}

#[test]
fn an_import_block_beside_a_resource_that_holds_the_object_destroys_nothing() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let before = env.living()?;
    let number = repo_number(&env)?;
    let second = "resource \"nautes_code_repo\" \"b\" {\n  product      = nautes_product.p.id\n  name         = \"a\"\n  access_token = {}\n}\n";
    env.write(&format!(
        "{SMALL}{second}\nimport {{\n  to = nautes_code_repo.b\n  id = \"repo-{number}\"\n}}\n"
    ))?;
    env.workspace.run(["apply", "-auto-approve", "-no-color"])?;
    env.write(SMALL)?;
    env.workspace.run(["apply", "-auto-approve", "-no-color"])?;
    env.workspace
        .run(["apply", "-refresh=false", "-auto-approve", "-no-color"])?;
    assert_eq!(env.living()?, before);
    Ok(())
}

#[test]
fn of_two_states_that_create_one_path_at_the_same_time_one_holds_it() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    // The first state stops for a while after it has made the project.
    let fault = json!({
        "method": "POST", "path": "/deploy_keys$", "times": 1,
        "failure": { "hang": { "millis": 8000 } }, "after_effect": true,
    });
    env.gitlab.inject_fault(&fault)?;
    let mut first = env.workspace.start_apply(&[])?;
    loop {
        let found = env
            .gitlab
            .api(Method::GET, "/projects?search=a&per_page=100", None)?;
        let found = found.as_array().into_iter().flatten();
        let mut found = found.filter(|project| project["path"] == "a");
        if found.next().is_some() {
            break;
        }
        anyhow::ensure!(!first.has_ended(), "the first apply has ended");
    }
    let mut second = env.new_workspace(
        "resource \"nautes_code_repo\" \"b\" {\n  product = \"shop\"\n  name = \"a\"\n}\n",
    )?;
    second.set_env("NAUTES_VAULT_ADDRESS", env.vault()?.url());
    second.set_env("NAUTES_VAULT_TOKEN", env.vault()?.root_token());
    let text = second.run(["apply", "-auto-approve", "-no-color"])?.text();
    let of_second = second.addresses()?;
    let of_first = first.finish()?;
    let first_holds = env
        .workspace
        .addresses()?
        .contains(&"nautes_code_repo.a".to_owned());
    let second_holds = of_second.contains(&"nautes_code_repo.b".to_owned());
    assert!(first_holds != second_holds, "{of_first:?}\n{text}");
    Ok(())
}

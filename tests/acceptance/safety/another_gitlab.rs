//! A state that is used with another GitLab, or on other objects with the same numbers.

use serde_json::json;
use testbed::{Method, exactly};

use super::{PRODUCT, REPO, SMALL};
use crate::test_env::{Case, TestEnv};

#[test]
fn a_state_used_with_another_gitlab_is_refused_and_changes_nothing_there() -> Case {
    let mut env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let vault = env.vault()?.inventory()?;
    let group = env.workspace.resource(PRODUCT)?["group_id"].clone();
    let other = TestEnv::new("")?;
    let mut people;
    loop {
        let name = format!("people-{}", fastrand::u32(..));
        let new = json!({ "name": name, "path": name });
        people = other.gitlab.api(Method::POST, "/groups", Some(&new))?;
        if people["id"] == group {
            break;
        }
        assert!(
            people["id"].as_u64() < group.as_u64(),
            "numbers are given in order"
        );
    }
    for name in ["notes", "letters", "photos"] {
        let new = json!({ "path": name, "namespace_id": group, "initialize_with_readme": true });
        other.gitlab.api(Method::POST, "/projects", Some(&new))?;
    }
    env.workspace
        .set_env("NAUTES_GITLAB_URL", other.gitlab.url());
    env.use_token(other.gitlab.root_token());
    let (texts, calls) = other.gitlab.calls_during(|| {
        let plan = env.workspace.failing_plan()?.text();
        let destroy = env.workspace.failing_destroy()?.text();
        let target = format!("-target={REPO}");
        let arguments = [
            "destroy",
            "-refresh=false",
            &target,
            "-auto-approve",
            "-no-color",
        ];
        let unrefreshed = env.workspace.run(arguments)?;
        assert_ne!(unrefreshed.exit_code(), Some(0));
        Ok::<_, anyhow::Error>([plan, destroy])
    })?;
    for text in texts? {
        assert!(
            text.contains("GitLab has another object in place of the product shop"),
            "{text}"
        );
        assert!(
            text.contains("created at") && text.contains("gitlab.url"),
            "{text}"
        );
    }
    calls.writes().assert_calls(exactly(0));
    assert_eq!(env.vault()?.inventory()?, vault);
    assert_eq!(env.workspace.addresses()?.len(), 3);
    Ok(())
}

#[test]
fn a_configuration_repository_is_no_code_repository() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let before = env.everything()?;
    let config = env.workspace.resource(PRODUCT)?["config_repository"]["project_id"].clone();
    env.write(&format!(
        "{SMALL}resource \"nautes_code_repo\" \"b\" {{\n  product = nautes_product.p.id\n  name = \"b\"\n}}\n"
    ))?;
    for id in [format!("repo-{config}"), "shop/default.project".to_owned()] {
        let text = env
            .workspace
            .failing_import("nautes_code_repo.b", &id)?
            .text();
        assert!(text.contains("configuration repository"), "{id}: {text}");
    }
    assert_eq!(env.everything()?, before);
    Ok(())
}

#[test]
fn a_product_named_by_digits_is_not_looked_up_as_a_number() -> Case {
    let env = TestEnv::new("")?;
    let shop = json!({ "name": "shop", "path": "shop" });
    let shop = env.gitlab.api(Method::POST, "/groups", Some(&shop))?;
    let number = shop["id"].to_string();
    let product = format!(
        "resource \"nautes_product\" \"p\" {{\n  name = \"{number}\"\n  adopt_existing = true\n}}\n"
    );
    env.write(&product)?;
    let (text, calls) = env.gitlab.calls_during(|| env.workspace.failing_plan())?;
    let text = text?.text();
    assert!(text.contains("for the number of a group"), "{text}");
    calls.writes().assert_calls(exactly(0));
    env.write(&format!(
        "resource \"nautes_environment\" \"e\" {{\n  product = \"{number}\"\n  name = \"staging\"\n  cluster = \"c\"\n  env_type = \"staging\"\n}}\n\ndata \"nautes_product\" \"p\" {{\n  name = \"{number}\"\n}}\n"
    ))?;
    let (text, calls) = env.gitlab.calls_during(|| env.workspace.failing_apply())?;
    let text = text?.text();
    assert!(
        text.contains("GitLab answered with shop when asked for"),
        "{text}"
    );
    calls.writes().assert_calls(exactly(0));
    env.write(&product.replace(&number, "seven"))?;
    let text = env.workspace.failing_import(PRODUCT, &number)?.text();
    assert!(text.contains("There is nothing to import"), "{text}");
    Ok(())
}

//! Two resources never hold one object.

use testbed::exactly;

use super::{ENVIRONMENT, SMALL};
use crate::test_env::{Case, TestEnv};

const SECOND: &str = r#"
resource "nautes_environment" "second" {
  product  = nautes_product.p.id
  name     = "staging"
  cluster  = "deployment-01"
  env_type = "staging"
}
"#;

#[test]
fn the_second_of_two_equal_resources_of_one_run_fails() -> Case {
    let env = TestEnv::with_vault(&format!("{SMALL}{SECOND}"))?;
    let text = env.workspace.failing_apply()?.text();
    assert!(text.contains("another resource has created it"), "{text}");
    env.write(SMALL)?;
    env.workspace.apply()?;
    Ok(())
}

#[test]
fn an_equal_manifest_is_taken_over_with_a_warning_and_two_holders_are_refused_afterwards() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    env.write(&format!("{SMALL}{SECOND}"))?;
    let applied = env.workspace.apply_with(&[])?;
    let warnings: Vec<String> = applied
        .outcome
        .warnings()
        .map(ToString::to_string)
        .collect();
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("existed already and is managed here")),
        "{warnings:?}"
    );
    // Neither of the two is deleted, whichever block is removed.
    for body in [SMALL.to_owned(), SMALL.replace("\"e\"", "\"second\"")] {
        env.write(&body)?;
        let (text, calls) = env.gitlab.calls_during(|| env.workspace.failing_apply())?;
        let text = text?.text();
        assert!(text.contains("Two resources hold product-"), "{text}");
        assert!(text.contains("terraform state rm"), "{text}");
        calls.writes().assert_calls(exactly(0));
    }
    env.workspace.run(["state", "rm", ENVIRONMENT])?.success()?;
    env.workspace
        .assert_empty_plan("after one of the two has left the state")?;
    Ok(())
}

#[test]
fn a_repository_that_is_imported_twice_is_not_deleted() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let twice = format!(
        "{SMALL}resource \"nautes_code_repo\" \"b\" {{\n  product      = nautes_product.p.id\n  name         = \"a\"\n  access_token = {{}}\n}}\n"
    );
    env.write(&twice)?;
    env.workspace.import("nautes_code_repo.b", "shop/a")?;
    let before = env.everything()?;
    env.write(SMALL)?;
    let text = env.workspace.failing_apply()?.text();
    assert!(text.contains("Two resources hold repo-"), "{text}");
    let text = env.workspace.failing_destroy()?.text();
    assert!(text.contains("Two resources hold repo-"), "{text}");
    assert_eq!(env.everything()?, before);
    Ok(())
}

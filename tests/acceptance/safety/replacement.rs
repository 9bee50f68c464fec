//! Replacements with the new object made first touch no living object, and what a process has made
//! it also destroys.

use serde_json::Value;
use testbed::Method;

use super::{REPO, SMALL};
use crate::test_env::{Case, TestEnv};

const FIRST: &str = "\n  lifecycle {\n    create_before_destroy = true\n  }\n}\n";

/// The configuration with everything made before it is destroyed, and a step that fails.
fn created_first() -> String {
    let failing = r#"
resource "terraform_data" "failing" {
  input = nautes_code_repo.a.id
  provisioner "local-exec" {
    command = "exit 1"
  }
}
"#;
    format!("{}{failing}", SMALL.replace("\n}\n", FIRST))
}

#[test]
fn a_replacement_that_is_created_first_neither_adopts_nor_destroys_the_live_object() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let before = env.everything()?;
    env.write(&created_first())?;
    for address in [REPO, super::PRODUCT, super::ENVIRONMENT] {
        let replace = format!("-replace={address}");
        for _ in 0..2 {
            let arguments = ["apply", "-auto-approve", "-no-color", &replace];
            env.workspace.run(arguments)?;
        }
    }
    env.write(&SMALL.replace("\n}\n", FIRST))?;
    for _ in 0..2 {
        env.workspace.run(["apply", "-auto-approve", "-no-color"])?;
    }
    assert_eq!(env.everything()?, before);
    Ok(())
}

#[test]
fn a_replacement_with_adopt_existing_is_refused_at_plan() -> Case {
    let body = SMALL.replace(
        "access_token = {}",
        "access_token = {}\n  adopt_existing = true",
    );
    let env = TestEnv::with_vault(&body)?;
    env.workspace.apply_with(&[])?;
    let before = env.everything()?;
    let replace = format!("-replace={REPO}");
    let plan = env.workspace.run(["plan", "-no-color", &replace])?;
    assert_ne!(plan.exit_code(), Some(0));
    let text = plan.text();
    assert!(text.contains("adopt_existing"), "{text}");
    assert_eq!(env.everything()?, before);
    Ok(())
}

#[test]
fn a_run_of_terraform_test_destroys_what_it_has_created() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    let empty = env.vault()?.inventory()?;
    let changed = SMALL.replace("env_type = \"staging\"", "env_type = var.type");
    env.write(&format!(
        "variable \"type\" {{\n  default = \"staging\"\n}}\n{changed}"
    ))?;
    env.workspace.write(
        "small.tftest.hcl",
        "run \"create\" {}\n\nrun \"change\" {\n  variables {\n    type = \"test\"\n  }\n}\n",
    )?;
    env.workspace.run(["test", "-no-color"])?.success()?;
    let groups = env.gitlab.api(Method::GET, "/groups?search=shop", None)?;
    let alive = groups.as_array().into_iter().flatten();
    let alive: Vec<&Value> = alive
        .filter(|group| group["marked_for_deletion_on"].is_null())
        .collect();
    assert!(alive.is_empty(), "{alive:?}");
    assert_eq!(env.vault()?.inventory()?, empty);
    Ok(())
}

//! What users read after a mistake: one case for each row of the table in `design/checklist.md` that no other file has.

use serde_json::{Value, json};
use testbed::{Calls, Method, Outcome, Workspace, at_most, exactly};

use crate::test_env::{Case, TestEnv};

const PRODUCT: &str = r#"
resource "nautes_product" "shop" {
  name          = "shop"
  force_destroy = true
}
"#;

const PROJECT: &str = r#"
resource "nautes_project" "checkout" {
  product = nautes_product.shop.id
  name    = "checkout"
}
"#;

const DEVELOPER: u64 = 30;

/// Returns the text of the error of an address.
fn error_of(outcome: &Outcome, address: &str) -> String {
    let mut errors = outcome.errors();
    let error = errors.find(|error| error.address.as_deref() == Some(address));
    error.map(ToString::to_string).unwrap_or_default()
}

/// Makes another workspace with its own state on the GitLab and the Vault of an environment.
fn another_state(env: &TestEnv, body: &str) -> anyhow::Result<Workspace> {
    let mut workspace = env.new_workspace(body)?;
    let vault = env.vault()?;
    workspace.set_env("NAUTES_VAULT_ADDRESS", vault.url());
    workspace.set_env("NAUTES_VAULT_TOKEN", vault.root_token());
    Ok(workspace)
}

fn failing_apply(env: &TestEnv) -> anyhow::Result<(Outcome, Calls)> {
    let (outcome, calls) = env.gitlab.calls_during(|| env.workspace.failing_apply())?;
    Ok((outcome?, calls))
}

#[test]
fn a_reference_to_something_that_is_not_there() -> Case {
    let till = r#"
resource "nautes_code_repo" "till" {
  product = nautes_product.shop.id
  name    = "till"
}
"#;
    let mistaken = r#"
resource "nautes_code_repo" "pos" {
  product = nautes_product.shop.id
  project = "chekcout"
  name    = "pos"
}

resource "nautes_code_repo_binding" "open" {
  product     = nautes_product.shop.id
  name        = "open"
  code_repo   = "tlil"
  permissions = "readonly"
}

resource "nautes_environment" "lost" {
  product  = "shoe"
  name     = "lost"
  cluster  = "deployment-01"
  env_type = "test"
}
"#;
    let applied = format!("{PRODUCT}{PROJECT}{till}");
    let env = TestEnv::with_vault(&applied)?;
    env.workspace.apply()?;
    env.write(&format!("{applied}{mistaken}"))?;
    let (outcome, calls) = failing_apply(&env)?;
    calls.writes().assert_calls(exactly(0));
    for (address, parts) in [
        (
            "nautes_code_repo.pos",
            [
                "The project `chekcout` does not exist",
                "Product `shop` has: `checkout`.",
                r#"project = "chekcout""#,
            ],
        ),
        (
            "nautes_code_repo_binding.open",
            [
                "The code repository tlil does not exist",
                "Its code repositories are: till.",
                r#"code_repo   = "tlil""#,
            ],
        ),
        (
            "nautes_environment.lost",
            [
                "find the product shoe as the GitLab group shoe",
                "The products are: shop.",
                r#"product  = "shoe""#,
            ],
        ),
    ] {
        let text = error_of(&outcome, address);
        for part in parts {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    Ok(())
}

/// The code repositories are those of another state, where nothing changes.
#[test]
fn a_destroy_of_something_that_is_still_referenced() -> Case {
    const REPOSITORIES: usize = 6;
    let env = TestEnv::with_vault(&format!("{PRODUCT}{PROJECT}"))?;
    env.workspace.apply()?;
    let others = format!(
        r#"
resource "nautes_code_repo" "r" {{
  count   = {REPOSITORIES}
  product = "shop"
  project = "checkout"
  name    = "r${{count.index}}"
}}
"#
    );
    another_state(&env, &others)?.apply()?;

    let (outcome, calls) = env
        .gitlab
        .calls_during(|| env.workspace.failing_destroy())?;
    let text = outcome?.text();
    for part in [
        "The project `checkout` is still used",
        "code repository `r0` (repo-",
        "code repository `r5` (repo-",
        "First apply the changes to what references it",
        "create_before_destroy",
        "`insecure_skip_check = true` on the project `checkout`",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    calls.writes().assert_calls(exactly(0));
    // The refresh and the look at the configuration repository; none of them is about what refers to it.
    calls
        .to_route("GET /projects/{id}")
        .assert_calls(at_most(4));

    // The way out that the message names.
    let unchecked = PROJECT.replace("\n}", "\n  insecure_skip_check = true\n}");
    env.write(&format!("{PRODUCT}{unchecked}"))?;
    env.workspace.apply()?;
    env.workspace.destroy()?;
    Ok(())
}

#[test]
fn gitlab_answers_401_or_403() -> Case {
    let environment = r#"
resource "nautes_environment" "e" {
  product  = nautes_product.shop.id
  name     = "staging"
  cluster  = "deployment-01"
  env_type = "staging"
}
"#;
    let mut env = TestEnv::new(PRODUCT)?;
    env.workspace.apply()?;
    env.write(&format!("{PRODUCT}{environment}"))?;

    env.use_token("glpat-unknown");
    let text = env.workspace.failing_plan()?.text();
    for part in ["gitlab.token", "NAUTES_GITLAB_TOKEN", "expired or revoked"] {
        assert!(text.contains(part), "{part}: {text}");
    }

    let read_only = json!({ "name": "terraform", "scopes": ["read_api"] });
    let user = env.gitlab.api(Method::GET, "/user", None)?;
    let id = user.get("id").and_then(Value::as_u64).unwrap_or_default();
    let path = format!("/users/{id}/personal_access_tokens");
    let token = env.gitlab.api(Method::POST, &path, Some(&read_only))?;
    let token = token.get("token").and_then(Value::as_str);
    env.use_token(token.unwrap_or_default());
    let (outcome, calls) = failing_apply(&env)?;
    let text = outcome.text();
    assert!(
        text.contains("gitlab.token needs the scope \"api\""),
        "{text}"
    );
    let succeeded = |call: &testbed::Call| call.status.is_some_and(|status| status < 300);
    calls.writes().filter(succeeded).assert_calls(exactly(0));

    let token = env.token_of_new_user("developer", Some(("/groups/shop", DEVELOPER)))?;
    env.use_token(&token);
    let (outcome, _) = failing_apply(&env)?;
    let text = error_of(&outcome, "nautes_environment.e");
    for part in ["commit.branch", "Protected branches", "the role Maintainer"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    Ok(())
}

#[test]
fn a_group_or_a_project_that_exists() -> Case {
    let till = r#"
resource "nautes_code_repo" "till" {
  product = nautes_product.shop.id
  name    = "till"
}
"#;
    let env = TestEnv::with_vault(PRODUCT)?;
    env.workspace.apply()?;
    let group = env.gitlab.api(Method::GET, "/groups/shop", None)?;
    let id = group.get("id").and_then(Value::as_u64).unwrap_or_default();
    let project = json!({ "name": "till", "path": "till", "namespace_id": id });
    let project = env.gitlab.api(Method::POST, "/projects", Some(&project))?;
    let number = project
        .get("id")
        .and_then(Value::as_u64)
        .unwrap_or_default();

    let same = another_state(&env, &PRODUCT.replace("\"shop\" {", "\"same\" {"))?;
    let text = same.failing_apply()?.text();
    for part in [
        &format!("terraform import <address> product-{id}"),
        "adopt_existing = true",
        "choose another name",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }

    env.write(&format!("{PRODUCT}{till}"))?;
    let (outcome, calls) = failing_apply(&env)?;
    let text = outcome.text();
    for part in [
        &format!("terraform import <address> repo-{number}"),
        "adopt_existing = true",
        "choose another name",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // The refused creation is the only write.
    calls.writes().assert_calls(at_most(1));
    Ok(())
}

#[test]
fn a_rename_that_gitlab_refuses() -> Case {
    let env = TestEnv::new(PRODUCT)?;
    env.workspace.apply()?;
    env.write(&PRODUCT.replace("= \"shop\"", "= \"store\""))?;
    let reason = "Cannot update the path because there are projects under this group that contain Docker images in their Container Registry.";
    env.gitlab.inject_fault(&json!({
        "method": "PUT", "path": "/groups/",
        "failure": { "respond": { "status": 400, "body": { "message": reason } } },
    }))?;
    let before = env.workspace.state_file();
    let text = env.workspace.failing_apply()?.text();
    for part in [
        "Cannot rename the GitLab group shop to store",
        reason,
        "Correct what GitLab complains about",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(env.workspace.state_file(), before);
    Ok(())
}

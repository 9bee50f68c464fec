//! Creations and deletions of a code repository that fail at each step in turn.

use serde_json::{Value, json};
use testbed::{Failure, Fault, Method};

use crate::code_repo::{CHECKOUT, SHOP};
use crate::test_env::{Case, TestEnv};

/// Injects a 403 response to the next matching call: of GitLab if `path` starts with a slash, else of Vault.
fn refuse_next(env: &TestEnv, method: &str, path: &str) -> Case {
    if path.starts_with('/') {
        let failure = json!({ "respond": { "status": 403 } });
        let fault = json!({ "method": method, "path": path, "times": 1, "failure": failure });
        env.gitlab.inject_fault(&fault)?;
    } else {
        let (status, body) = (403, r#"{"errors":["permission denied"]}"#.to_owned());
        let failure = Failure::Respond { status, body };
        let fault = Fault::once(method, path, failure);
        env.vault()?.proxy().inject_fault(fault);
    }
    Ok(())
}

#[test]
fn every_step_of_a_creation_and_a_deletion_can_be_repeated() -> Case {
    let (product, _) = SHOP
        .split_once("resource \"nautes_code_repo\"")
        .unwrap_or_default();
    let env = TestEnv::with_vault(product)?;
    env.workspace.apply_with(&[])?;
    let empty = env.vault()?.inventory()?;
    env.write(SHOP)?;
    let steps = [
        ("POST", "/deploy_keys$"),
        ("POST", "git/data/"),
        ("POST", "sys/policies/acl/"),
        ("POST", "/access_tokens$"),
        ("POST", "/repository/commits$"),
        ("PUT", r"/projects/\d+$"),
    ];
    for (method, path) in steps {
        refuse_next(&env, method, path)?;
        let outcome = env.workspace.failing_apply();
        assert!(outcome.is_ok(), "{method} {path} was never called");
        let addresses = env.workspace.addresses()?;
        assert!(!addresses.contains(&CHECKOUT.to_owned()), "{method} {path}");
    }
    env.workspace.apply()?;
    let repo = env.workspace.resource(CHECKOUT)?;
    let project = repo["project_id"].clone();
    let count = |path: &str| -> anyhow::Result<Option<usize>> {
        let listed = env.gitlab.api(Method::GET, path, None)?;
        Ok(listed.as_array().map(Vec::len))
    };
    assert_eq!(count("/projects?search=checkout")?, Some(1));
    assert_eq!(count(&format!("/projects/{project}/deploy_keys"))?, Some(2));
    let tokens = format!("/projects/{project}/access_tokens?state=active");
    assert_eq!(count(&tokens)?, Some(1));

    // Keys and tokens of a deleted project go with it, so their removal may fail.
    let steps = [
        ("POST", "/repository/commits$"),
        ("DELETE", r"/projects/\d+$"),
        ("DELETE", "sys/policies/acl/"),
        ("DELETE", "git/metadata/"),
    ];
    for (method, path) in steps {
        refuse_next(&env, method, path)?;
        let outcome = env.workspace.failing_destroy();
        assert!(outcome.is_ok(), "{method} {path} was never called");
        let addresses = env.workspace.addresses()?;
        assert!(addresses.contains(&CHECKOUT.to_owned()), "{method} {path}");
    }
    env.workspace.destroy()?;
    assert_eq!(env.vault()?.inventory()?, empty);
    let deleted = env
        .gitlab
        .api(Method::GET, &format!("/projects/{project}"), None)?;
    assert_ne!(deleted["marked_for_deletion_on"], Value::Null);
    Ok(())
}

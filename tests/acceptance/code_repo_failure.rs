//! A code repository whose creation or deletion fails half-way, at one step after the other.

use serde_json::{Value, json};
use testbed::{Failure, Fault, Method};

use crate::code_repo::{CHECKOUT, SHOP};
use crate::harness::{Case, Stage};

/// Lets the next call of this kind be refused by GitLab, or by Vault if its path is one of Vault's.
fn refuse_next(stage: &Stage, method: &str, path: &str) -> Case {
    if path.starts_with('/') {
        let failure = json!({ "answer": { "status": 403 } });
        let fault = json!({ "method": method, "path": path, "times": 1, "failure": failure });
        stage.gitlab.inject_fault(&fault)?;
    } else {
        let (status, body) = (403, r#"{"errors":["permission denied"]}"#.to_owned());
        let failure = Failure::Answer { status, body };
        let fault = Fault::of_next(method, path, failure);
        stage.vault()?.proxy().inject_fault(fault);
    }
    Ok(())
}

#[test]
fn every_step_of_its_creation_and_its_deletion_can_be_repeated() -> Case {
    let (product, _) = SHOP
        .split_once("resource \"nautes_code_repo\"")
        .unwrap_or_default();
    let stage = Stage::with_vault(product)?;
    stage.workspace.apply_with(&[])?;
    let empty = stage.vault()?.inventory()?;
    stage.write(SHOP)?;
    let steps = [
        ("POST", "/deploy_keys$"),
        ("POST", "git/data/"),
        ("POST", "sys/policies/acl/"),
        ("POST", "/access_tokens$"),
        ("POST", "/repository/commits$"),
        ("PUT", r"/projects/\d+$"),
    ];
    for (method, path) in steps {
        refuse_next(&stage, method, path)?;
        let outcome = stage.workspace.failing_apply();
        assert!(outcome.is_ok(), "{method} {path} was never called");
        let addresses = stage.workspace.addresses()?;
        assert!(!addresses.contains(&CHECKOUT.to_owned()), "{method} {path}");
    }
    stage.workspace.apply()?;
    let repo = stage.workspace.resource(CHECKOUT)?;
    let project = repo["project_id"].clone();
    let count = |path: &str| -> anyhow::Result<Option<usize>> {
        let listed = stage.gitlab.api(Method::GET, path, None)?;
        Ok(listed.as_array().map(Vec::len))
    };
    assert_eq!(count("/projects?search=checkout")?, Some(1));
    assert_eq!(count(&format!("/projects/{project}/deploy_keys"))?, Some(2));
    let tokens = format!("/projects/{project}/access_tokens?state=active");
    assert_eq!(count(&tokens)?, Some(1));

    let steps = [
        ("POST", "/repository/commits$"),
        ("DELETE", "sys/policies/acl/"),
        ("DELETE", "git/metadata/"),
        ("DELETE", "/deploy_keys/"),
        ("DELETE", "/access_tokens/"),
        ("DELETE", r"/projects/\d+$"),
    ];
    for (method, path) in steps {
        refuse_next(&stage, method, path)?;
        let outcome = stage.workspace.failing_destroy();
        assert!(outcome.is_ok(), "{method} {path} was never called");
        let addresses = stage.workspace.addresses()?;
        assert!(addresses.contains(&CHECKOUT.to_owned()), "{method} {path}");
    }
    stage.workspace.destroy()?;
    assert_eq!(stage.vault()?.inventory()?, empty);
    let left = stage
        .gitlab
        .api(Method::GET, &format!("/projects/{project}"), None)?;
    assert_ne!(left["marked_for_deletion_on"], Value::Null);
    Ok(())
}

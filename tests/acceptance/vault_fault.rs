//! Vault is not configured, is sealed, denies access, responds slowly, fails, or loses responses.

use std::fmt::Write as _;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use regex::Regex;
use serde_json::{Value, json};
use testbed::{Failure, Fault, Method, Outcome, Workspace};

use crate::code_repo::{CHECKOUT, SHOP};
use crate::test_env::{Case, TestEnv};

const PRODUCT: &str = "resource \"nautes_product\" \"shop\" {\n  name = \"shop\"\n}\n";

/// The policy of the token that the provider has in [`use_policy`].
const POLICY: &str = "terraform";

/// More policy lines than any operation requires.
const MAX_LINES: usize = 20;

/// The writes that create a code repository with an access token: three secrets and their policies.
const WRITES: usize = 6;

/// Returns the text of the only error of an outcome; checks that it belongs to the resource.
fn single_error(address: &str, outcome: &Outcome) -> anyhow::Result<String> {
    let errors: Vec<_> = outcome.errors().collect();
    let [error] = errors.as_slice() else {
        bail!("expected one error: {}", outcome.text());
    };
    ensure!(error.address.as_deref() == Some(address), "{error}");
    Ok(error.to_string())
}

fn failing_apply(workspace: &Workspace) -> anyhow::Result<String> {
    single_error(CHECKOUT, &workspace.failing_apply()?)
}

/// Applies after the failure and destroys; checks that Vault is as before.
fn check_recovery(env: &TestEnv, before: &testbed::Inventory) -> Case {
    env.workspace.apply().context("the next apply")?;
    env.workspace.destroy().context("the destroy")?;
    let after = env.vault()?.inventory()?;
    ensure!(
        after == *before,
        "Vault contains\n{after:?}\nbut before it contained\n{before:?}"
    );
    Ok(())
}

fn sealed() -> Failure {
    let body = json!({ "errors": ["Vault is sealed"] }).to_string();
    Failure::Respond { status: 503, body }
}

#[test]
fn a_missing_or_invalid_argument_is_named_and_the_next_apply_succeeds() -> Case {
    let env = TestEnv::with_vault("")?;
    let vault = env.vault()?;
    let before = vault.inventory()?;
    let mut workspace = env.new_workspace(SHOP)?;
    let text = failing_apply(&workspace)?;
    assert!(text.contains("vault.address"), "{text}");
    workspace.set_env("NAUTES_VAULT_ADDRESS", vault.url());
    let text = failing_apply(&workspace)?;
    assert!(text.contains("vault.token"), "{text}");
    workspace.set_env("NAUTES_VAULT_TOKEN", "hvs.unknown");
    let text = failing_apply(&workspace)?;
    assert!(text.contains("vault.token"), "{text}");
    assert!(!text.contains("hvs.unknown"), "{text}");

    workspace.set_env("NAUTES_VAULT_TOKEN", vault.root_token());
    workspace.apply()?;
    workspace.destroy()?;
    assert_eq!(vault.inventory()?, before);
    Ok(())
}

#[test]
fn after_vault_is_unsealed_the_next_apply_succeeds() -> Case {
    let env = TestEnv::with_vault(SHOP)?;
    let vault = env.vault()?;
    let before = vault.inventory()?;
    vault.seal()?;
    let text = failing_apply(&env.workspace)?;
    assert!(text.contains("vault operator unseal"), "{text}");
    vault.unseal()?;
    env.workspace.apply()?;

    vault.seal()?;
    let state = env.workspace.state_file();
    let planned = env.workspace.failing_plan()?;
    let text = single_error(CHECKOUT, &planned)?;
    assert!(text.contains("vault operator unseal"), "{text}");
    assert_eq!(env.workspace.state_file(), state);
    vault.unseal()?;
    check_recovery(&env, &before)
}

#[test]
fn adding_each_policy_line_that_an_error_names_is_sufficient() -> Case {
    let mut env = TestEnv::with_vault(SHOP)?;
    let before = env.vault()?.inventory()?;
    let mut policy = String::new();
    use_policy(&mut env, &policy)?;

    // The second apply refreshes what the first has created.
    for arguments in [[].as_slice(), &[], &["-destroy"]] {
        apply_with_advice(&env, &mut policy, arguments)?;
    }
    let path = format!("sys/policies/acl/{POLICY}");
    env.vault()?.api(Method::DELETE, &path, None)?;
    assert_eq!(env.vault()?.inventory()?, before);
    Ok(())
}

#[test]
fn the_documented_policy_is_sufficient() -> Case {
    let mut env = TestEnv::with_vault(SHOP)?;
    let before = env.vault()?.inventory()?;
    let policy = include_str!("../../examples/provider/vault-policy.hcl");
    use_policy(&mut env, policy)?;
    env.workspace.apply()?;
    let description = "name           = \"checkout\"\n  description    = \"The till\"";
    env.write(&SHOP.replace("name           = \"checkout\"", description))?;
    env.workspace.apply()?;
    env.workspace.destroy()?;
    let path = format!("sys/policies/acl/{POLICY}");
    env.vault()?.api(Method::DELETE, &path, None)?;
    assert_eq!(env.vault()?.inventory()?, before);
    Ok(())
}

/// Gives the provider a token with one policy of this text.
fn use_policy(env: &mut TestEnv, policy: &str) -> Case {
    write_policy(env, policy)?;
    let wanted = json!({ "policies": [POLICY] });
    let path = "auth/token/create";
    let issued = env.vault()?.api(Method::POST, path, Some(&wanted))?;
    let token = issued.pointer("/auth/client_token").and_then(Value::as_str);
    let token = token.context("the response has no token")?.to_owned();
    env.workspace.set_env("NAUTES_VAULT_TOKEN", token);
    Ok(())
}

fn write_policy(env: &TestEnv, text: &str) -> Case {
    let path = format!("sys/policies/acl/{POLICY}");
    // Vault refuses an empty policy.
    let policy = json!({ "policy": format!("# of the provider\n{text}") });
    env.vault()?.api(Method::PUT, &path, Some(&policy))?;
    Ok(())
}

/// Applies until it succeeds, and adds the policy line that each error names.
fn apply_with_advice(env: &TestEnv, policy: &mut String, arguments: &[&str]) -> Case {
    let line = Regex::new(r#"path "[^"]+" \{ capabilities = \[[^\]]*\] \}"#)?;
    for _ in 0..MAX_LINES {
        let outcome = env.workspace.start_apply(arguments)?.finish()?;
        if outcome.exit_code() == Some(0) {
            return Ok(());
        }
        // Terraform does not name the resource of a failed deletion, but the message does.
        let text = outcome.text();
        ensure!(text.contains("the code repository checkout"), "{text}");
        let missing = line.find(&text);
        let missing = missing.with_context(|| format!("no policy line in: {text}"))?;
        ensure!(
            !policy.contains(missing.as_str()),
            "the policy already has this line: {text}\n{policy}"
        );
        policy.push_str(missing.as_str());
        policy.push('\n');
        write_policy(env, policy)?;
    }
    bail!("{MAX_LINES} lines are not sufficient:\n{policy}")
}

#[test]
fn an_apply_succeeds_while_every_vault_response_takes_two_seconds() -> Case {
    let env = TestEnv::with_vault(SHOP)?;
    let vault = env.vault()?;
    let before = vault.inventory()?;
    let slow = Failure::Delay(Duration::from_secs(2));
    vault.proxy().inject_fault(Fault::always(slow));
    env.workspace.apply_with(&[])?;
    vault.proxy().clear_faults();
    check_recovery(&env, &before)
}

/// The provider repeats a failing call for some seconds, so the cases wait at the same time.
#[test]
fn a_vault_outage_is_reported_and_the_next_apply_succeeds() -> Case {
    let writes = ["git/data/", "sys/policies/acl/"];
    thread::scope(|scope| {
        let cases = writes.map(|path| scope.spawn(move || check_outage_at(path)));
        cases
            .into_iter()
            .try_for_each(|case| case.join().unwrap_or_else(|_| bail!("a case panicked")))
    })
}

fn check_outage_at(path: &str) -> Case {
    let env = TestEnv::with_vault(SHOP)?;
    let vault = env.vault()?;
    let before = vault.inventory()?;
    let body = "<html>Service Unavailable</html>".to_owned();
    let failure = Failure::Respond { status: 503, body };
    let fault = Fault::once("POST", path, failure);
    vault.proxy().inject_fault(Fault {
        times: usize::MAX,
        skip: 1,
        ..fault
    });
    let text = failing_apply(&env.workspace)?;
    ensure!(text.contains("status 503"), "{text}");
    ensure!(text.contains("Apply again"), "{text}");
    ensure!(!text.contains("<html>"), "{text}");
    vault.proxy().clear_faults();
    check_recovery(&env, &before)
}

#[test]
fn after_a_seal_at_any_write_the_next_apply_succeeds() -> Case {
    check_failure_at_each_write(&sealed(), usize::MAX, |address, outcome| {
        let text = single_error(address, outcome)?;
        ensure!(text.contains("vault operator unseal"), "{text}");
        Ok(())
    })
}

#[test]
fn an_apply_survives_a_lost_response_to_any_write() -> Case {
    check_failure_at_each_write(&Failure::DropResponse, 1, |_, outcome| {
        ensure!(outcome.exit_code() == Some(0), "{}", outcome.text());
        Ok(())
    })
}

/// Creates one repository for each write that a creation makes, with a failure at that write.
fn check_failure_at_each_write(
    failure: &Failure,
    times: usize,
    check: impl Fn(&str, &Outcome) -> Case,
) -> Case {
    let env = TestEnv::with_vault(PRODUCT)?;
    env.workspace.apply_with(&[])?;
    let vault = env.vault()?;
    let before = vault.inventory()?;
    let mut body = PRODUCT.to_owned();
    for skip in 0..WRITES {
        let name = format!("repo{skip}");
        let _ = write!(
            body,
            "resource \"nautes_code_repo\" \"{name}\" {{\n  product      = nautes_product.shop.id\n  name         = \"{name}\"\n  access_token = {{}}\n}}\n"
        );
        env.write(&body)?;
        vault.proxy().inject_fault(Fault {
            method: Some("POST".to_owned()),
            skip,
            times,
            ..Fault::always(failure.clone())
        });
        let outcome = env.workspace.start_apply(&[])?.finish()?;
        vault.proxy().clear_faults();
        check(&format!("nautes_code_repo.{name}"), &outcome)
            .with_context(|| format!("at write {skip}"))?;
        let next = env.workspace.apply();
        next.with_context(|| format!("the apply after the failure at write {skip}"))?;
    }
    env.write(PRODUCT)?;
    let (destroyed, calls) = vault.proxy().calls_during(|| env.workspace.apply());
    destroyed?;
    let is_secret_deletion =
        |call: &testbed::Call| call.method == "DELETE" && call.path.contains("git/");
    calls
        .filter(is_secret_deletion)
        .assert_calls(testbed::at_least(WRITES / 2 * WRITES));
    ensure!(vault.inventory()? == before);
    Ok(())
}

//! Vault is not configured, sealed, forbidden, slow, down, or loses answers.

use std::fmt::Write as _;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use regex::Regex;
use serde_json::{Value, json};
use testbed::{Failure, Fault, Method, Outcome, Workspace};

use crate::code_repo::{CHECKOUT, SHOP};
use crate::harness::{Case, Stage};

const PRODUCT: &str = "resource \"nautes_product\" \"shop\" {\n  name = \"shop\"\n}\n";

/// The policy of the token that the provider has in [`use_policy`].
const POLICY: &str = "terraform";

/// More lines than any operation needs.
const MOST_LINES: usize = 20;

/// The writes that a repository with an access token takes: three secrets and their policies.
const WRITES: usize = 6;

/// The one error of an outcome, which must be at a repository, as the user reads it.
fn error_at(address: &str, outcome: &Outcome) -> anyhow::Result<String> {
    let errors: Vec<_> = outcome.errors().collect();
    let [error] = errors.as_slice() else {
        bail!("it is not one error: {}", outcome.text());
    };
    ensure!(error.address.as_deref() == Some(address), "{error}");
    Ok(error.to_string())
}

fn failing_apply(workspace: &Workspace) -> anyhow::Result<String> {
    error_at(CHECKOUT, &workspace.failing_apply()?)
}

/// Applies, now that all is well, and destroys; of both nothing is left in Vault.
fn finish(stage: &Stage, before: &testbed::Inventory) -> Case {
    stage.workspace.apply().context("the next apply")?;
    stage.workspace.destroy().context("the destroy")?;
    let after = stage.vault()?.inventory()?;
    ensure!(after == *before, "{after:?}\nis not as before:\n{before:?}");
    Ok(())
}

fn sealed() -> Failure {
    let body = json!({ "errors": ["Vault is sealed"] }).to_string();
    Failure::Answer { status: 503, body }
}

#[test]
fn what_is_not_configured_is_named_and_the_next_apply_completes() -> Case {
    let stage = Stage::with_vault("")?;
    let vault = stage.vault()?;
    let before = vault.inventory()?;
    let mut workspace = stage.beside(SHOP)?;
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
fn a_sealed_vault_is_unsealed_and_the_next_apply_completes() -> Case {
    let stage = Stage::with_vault(SHOP)?;
    let vault = stage.vault()?;
    let before = vault.inventory()?;
    vault.seal()?;
    let text = failing_apply(&stage.workspace)?;
    assert!(text.contains("vault operator unseal"), "{text}");
    vault.unseal()?;
    stage.workspace.apply()?;

    vault.seal()?;
    let state = stage.workspace.state_file();
    let planned = stage.workspace.failing_plan()?;
    let text = error_at(CHECKOUT, &planned)?;
    assert!(text.contains("vault operator unseal"), "{text}");
    assert_eq!(stage.workspace.state_file(), state);
    vault.unseal()?;
    finish(&stage, &before)
}

#[test]
fn whoever_adds_each_line_that_an_error_names_ends_with_enough() -> Case {
    let mut stage = Stage::with_vault(SHOP)?;
    let before = stage.vault()?.inventory()?;
    let mut policy = String::new();
    use_policy(&mut stage, &policy)?;

    // The second apply refreshes what the first has made.
    for arguments in [[].as_slice(), &[], &["-destroy"]] {
        follow_advice(&stage, &mut policy, arguments)?;
    }
    let path = format!("sys/policies/acl/{POLICY}");
    stage.vault()?.api(Method::DELETE, &path, None)?;
    assert_eq!(stage.vault()?.inventory()?, before);
    Ok(())
}

#[test]
fn the_documented_policy_is_enough() -> Case {
    let mut stage = Stage::with_vault(SHOP)?;
    let before = stage.vault()?.inventory()?;
    let policy = include_str!("../../examples/provider/vault-policy.hcl");
    use_policy(&mut stage, policy)?;
    stage.workspace.apply()?;
    let description = "name           = \"checkout\"\n  description    = \"The till\"";
    stage.write(&SHOP.replace("name           = \"checkout\"", description))?;
    stage.workspace.apply()?;
    stage.workspace.destroy()?;
    let path = format!("sys/policies/acl/{POLICY}");
    stage.vault()?.api(Method::DELETE, &path, None)?;
    assert_eq!(stage.vault()?.inventory()?, before);
    Ok(())
}

/// Lets the provider work with a token that has one policy of this text.
fn use_policy(stage: &mut Stage, policy: &str) -> Case {
    write_policy(stage, policy)?;
    let wanted = json!({ "policies": [POLICY] });
    let path = "auth/token/create";
    let issued = stage.vault()?.api(Method::POST, path, Some(&wanted))?;
    let token = issued.pointer("/auth/client_token").and_then(Value::as_str);
    let token = token.context("a token is a text")?.to_owned();
    stage.workspace.set_env("NAUTES_VAULT_TOKEN", token);
    Ok(())
}

fn write_policy(stage: &Stage, text: &str) -> Case {
    let path = format!("sys/policies/acl/{POLICY}");
    // Vault refuses an empty policy.
    let policy = json!({ "policy": format!("# of the provider\n{text}") });
    stage.vault()?.api(Method::PUT, &path, Some(&policy))?;
    Ok(())
}

/// Applies until that succeeds, and adds the line that each error names.
fn follow_advice(stage: &Stage, policy: &mut String, arguments: &[&str]) -> Case {
    let line = Regex::new(r#"path "[^"]+" \{ capabilities = \[[^\]]*\] \}"#)?;
    for _ in 0..MOST_LINES {
        let outcome = stage.workspace.start_apply(arguments)?.finish()?;
        if outcome.exit_code() == Some(0) {
            return Ok(());
        }
        // Of a failed deletion Terraform does not say which resource it is of; the message does.
        let text = outcome.text();
        ensure!(text.contains("the code repository checkout"), "{text}");
        let missing = line.find(&text);
        let missing = missing.with_context(|| format!("no line of a policy in: {text}"))?;
        ensure!(
            !policy.contains(missing.as_str()),
            "the line is there already: {text}\n{policy}"
        );
        policy.push_str(missing.as_str());
        policy.push('\n');
        write_policy(stage, policy)?;
    }
    bail!("so many lines are not enough:\n{policy}")
}

#[test]
fn a_vault_whose_every_answer_takes_two_seconds_is_waited_for() -> Case {
    let stage = Stage::with_vault(SHOP)?;
    let vault = stage.vault()?;
    let before = vault.inventory()?;
    let slow = Failure::Delay(Duration::from_secs(2));
    vault.proxy().inject_fault(Fault::of_all(slow));
    stage.workspace.apply_with(&[])?;
    vault.proxy().clear_faults();
    finish(&stage, &before)
}

/// The provider tries for half a minute, so the cases wait at the same time.
#[test]
fn a_vault_that_goes_down_is_named_and_the_next_apply_completes() -> Case {
    let writes = ["git/data/", "sys/policies/acl/"];
    thread::scope(|scope| {
        let cases = writes.map(|path| scope.spawn(move || go_down_at(path)));
        cases
            .into_iter()
            .try_for_each(|case| case.join().unwrap_or_else(|_| bail!("a case panicked")))
    })
}

fn go_down_at(path: &str) -> Case {
    let stage = Stage::with_vault(SHOP)?;
    let vault = stage.vault()?;
    let before = vault.inventory()?;
    let body = "<html>Service Unavailable</html>".to_owned();
    let failure = Failure::Answer { status: 503, body };
    let fault = Fault::of_next("POST", path, failure);
    vault.proxy().inject_fault(Fault {
        times: usize::MAX,
        skip: 1,
        ..fault
    });
    let text = failing_apply(&stage.workspace)?;
    ensure!(text.contains("status 503"), "{text}");
    ensure!(text.contains("Apply again"), "{text}");
    ensure!(!text.contains("<html>"), "{text}");
    vault.proxy().clear_faults();
    finish(&stage, &before)
}

#[test]
fn a_vault_that_is_sealed_at_any_write_leaves_nothing_that_the_next_apply_does_not_finish() -> Case
{
    at_each_write(&sealed(), usize::MAX, |address, outcome| {
        let text = error_at(address, outcome)?;
        ensure!(text.contains("vault operator unseal"), "{text}");
        Ok(())
    })
}

#[test]
fn an_answer_that_is_lost_at_any_write_is_made_up_for() -> Case {
    at_each_write(&Failure::LoseAnswer, 1, |_, outcome| {
        ensure!(outcome.exit_code() == Some(0), "{}", outcome.text());
        Ok(())
    })
}

/// Makes a repository for each of the writes that takes, with a failure at that write.
fn at_each_write(failure: &Failure, times: usize, expect: impl Fn(&str, &Outcome) -> Case) -> Case {
    let stage = Stage::with_vault(PRODUCT)?;
    stage.workspace.apply_with(&[])?;
    let vault = stage.vault()?;
    let before = vault.inventory()?;
    let mut body = PRODUCT.to_owned();
    for skip in 0..WRITES {
        let name = format!("repo{skip}");
        let _ = write!(
            body,
            "resource \"nautes_code_repo\" \"{name}\" {{\n  product      = nautes_product.shop.id\n  name         = \"{name}\"\n  access_token = {{}}\n}}\n"
        );
        stage.write(&body)?;
        vault.proxy().inject_fault(Fault {
            method: Some("POST".to_owned()),
            skip,
            times,
            ..Fault::of_all(failure.clone())
        });
        let outcome = stage.workspace.start_apply(&[])?.finish()?;
        vault.proxy().clear_faults();
        expect(&format!("nautes_code_repo.{name}"), &outcome)
            .with_context(|| format!("at write {skip}"))?;
        let next = stage.workspace.apply();
        next.with_context(|| format!("the apply after the failure at write {skip}"))?;
    }
    stage.write(PRODUCT)?;
    let (destroyed, calls) = vault.proxy().calls_during(|| stage.workspace.apply());
    destroyed?;
    let secrets = |call: &testbed::Call| call.method == "DELETE" && call.path.contains("git/");
    calls
        .only(secrets)
        .assert_calls(testbed::at_least(WRITES / 2 * WRITES));
    ensure!(vault.inventory()? == before);
    Ok(())
}

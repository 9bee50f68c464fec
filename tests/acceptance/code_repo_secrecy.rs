//! The secrets of code repositories are in Vault and nowhere else.

#![expect(
    clippy::indexing_slicing,
    reason = "a field that an answer lacks reads as null"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testbed::{Failure, Fault, Method, Outcome, Workspace};

use crate::code_repo::SHOP;
use crate::harness::{Case, Stage};
use crate::openssh_key;

const PIPELINES: &str = r#"
resource "nautes_code_repo" "pipelines" {
  product      = nautes_product.shop.id
  name         = "pipelines"
  access_token = {}
}

resource "nautes_code_repo_binding" "pipelines" {
  product     = nautes_product.shop.id
  name        = "pipelines"
  code_repo   = nautes_code_repo.pipelines.id
  permissions = "readwrite"
}
"#;

const REPOSITORIES: [&str; 3] = ["default.project", "checkout", "pipelines"];

/// What was seen in a test, by where it was.
#[derive(Default)]
struct Seen(Vec<(String, String)>);

impl Seen {
    fn take(&mut self, place: impl Into<String>, text: impl Into<String>) {
        self.0.push((place.into(), text.into()));
    }

    fn take_outcome(&mut self, place: &str, outcome: &Outcome) {
        self.take(format!("what {place} prints"), outcome.stdout());
        self.take(format!("the errors of {place}"), outcome.stderr());
    }

    /// Applies, and watches the arguments of all processes meanwhile.
    fn take_apply(&mut self, workspace: &Workspace, place: &str) -> anyhow::Result<bool> {
        let mut running = workspace.start_apply(&[])?;
        let mut arguments = BTreeSet::new();
        while !running.has_ended() {
            arguments.extend(arguments_of_all_processes());
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let provider = arguments
            .iter()
            .any(|line| line.contains("terraform-provider-nautes"));
        ensure!(provider, "the provider was not among the processes");
        for line in arguments {
            self.take(format!("the arguments of a process during {place}"), line);
        }
        let outcome = running.finish()?;
        self.take_outcome(place, &outcome);
        Ok(outcome.exit_code() == Some(0))
    }

    /// Reads all files of a folder: the state, its backups, plans and logs.
    fn take_files(&mut self, folder: &Path) -> Case {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                self.take_files(&path)?;
            } else {
                let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
                self.take(path.display().to_string(), text);
            }
        }
        Ok(())
    }

    fn expect_none_of(&self, secrets: &BTreeSet<String>) -> Case {
        for (place, text) in &self.0 {
            for secret in secrets {
                let shown: String = secret.chars().take(6).collect();
                ensure!(!text.contains(secret), "{shown}… is in {place}");
            }
        }
        Ok(())
    }
}

fn arguments_of_all_processes() -> Vec<String> {
    let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
    folders
        .filter_map(|folder| fs::read(folder.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .collect()
}

/// Every version of everything secret that Vault holds of the product's repositories: keys, line by line, and tokens.
fn secrets_in(stage: &Stage) -> anyhow::Result<BTreeSet<String>> {
    let vault = stage.vault()?;
    let mut secrets = BTreeSet::new();
    for (name, version) in vault.inventory()? {
        let Some(path) = name.strip_prefix("secret git/") else {
            continue;
        };
        let latest: u64 = version.trim_start_matches("version ").parse()?;
        for version in 1..=latest {
            let path = format!("git/data/{path}?version={version}");
            let values = vault.api(Method::GET, &path, None)?["data"]["data"].clone();
            if let Some(private) = values["deploykey"].as_str() {
                secrets.extend(openssh_key::lines(private));
            }
            secrets.extend(values["accesstoken"].as_str().map(str::to_owned));
        }
    }
    Ok(secrets)
}

/// Lets the provider log in with an `AppRole`; returns the secret id.
fn use_approle(stage: &mut Stage) -> anyhow::Result<String> {
    let vault = stage.vault()?;
    let api = |method, path: &str, body: Value| vault.api(method, path, Some(&body));
    api(
        Method::POST,
        "sys/auth/approle",
        json!({ "type": "approle" }),
    )?;
    let everything =
        r#"path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }"#;
    let policy = json!({ "policy": everything });
    api(Method::PUT, "sys/policies/acl/terraform", policy)?;
    let role = json!({ "token_policies": ["terraform"] });
    api(Method::POST, "auth/approle/role/terraform", role)?;
    let role = vault.api(Method::GET, "auth/approle/role/terraform/role-id", None)?;
    let path = "auth/approle/role/terraform/secret-id";
    let secret = api(Method::POST, path, json!({}))?["data"]["secret_id"].clone();
    let text = |value: &Value| value.as_str().map(str::to_owned).context("a text");
    let (role, secret) = (text(&role["data"]["role_id"])?, text(&secret)?);
    let workspace = &mut stage.workspace;
    workspace.set_env("NAUTES_VAULT_APPROLE_ROLE_ID", role);
    workspace.set_env("NAUTES_VAULT_APPROLE_SECRET_ID", &secret);
    Ok(secret)
}

/// The history of a repository with everything that any commit changed.
fn history(stage: &Stage, repository: &str) -> anyhow::Result<String> {
    let folder = stage.clone(&format!("shop/{repository}"))?;
    let log = Command::new("git")
        .args(["log", "--patch", "--all"])
        .current_dir(folder)
        .output()?;
    ensure!(log.status.success() && !log.stdout.is_empty());
    Ok(String::from_utf8_lossy(&log.stdout).into_owned())
}

#[test]
fn no_key_and_no_token_is_in_a_state_a_plan_a_log_a_message_a_commit_or_an_argument() -> Case {
    let mut stage = Stage::with_vault(&format!("{SHOP}{PIPELINES}"))?;
    stage.workspace = stage.workspace.with_trace("TRACE");
    let secret_id = use_approle(&mut stage)?;
    let mut seen = Seen::default();
    stage.workspace.plan()?;
    seen.take("the first plan", stage.workspace.show_plan()?.to_string());

    // Half-way, GitLab and then Vault refuse something that came with a secret.
    let body = json!({ "errors": ["permission denied"] }).to_string();
    let refused = Failure::Answer { status: 403, body };
    let fault = Fault::of_next("POST", "accesstoken-api", refused);
    stage.vault()?.proxy().inject_fault(fault);
    assert!(!seen.take_apply(&stage.workspace, "an apply that Vault stops")?);
    let failure = json!({ "answer": { "status": 403 } });
    let fault = json!({ "method": "POST", "path": "/access_tokens$", "failure": failure });
    stage.gitlab.inject_fault(&fault)?;
    assert!(!seen.take_apply(&stage.workspace, "an apply that GitLab stops")?);
    stage.gitlab.clear_faults()?;
    assert!(seen.take_apply(&stage.workspace, "an apply")?);
    let mut secrets = secrets_in(&stage)?;

    // A token that is to be replaced at once, and a key that is made anew.
    let pipelines = stage.workspace.resource("nautes_code_repo.pipelines")?;
    let key = &pipelines["deploy_keys"]["readonly"]["id"];
    let path = format!("/projects/shop%2Fpipelines/deploy_keys/{key}");
    stage.gitlab.api(Method::DELETE, &path, None)?;
    let path = &pipelines["access_token"]["id"];
    let path = format!("/projects/shop%2Fpipelines/access_tokens/{path}");
    stage.gitlab.api(Method::DELETE, &path, None)?;
    stage.workspace.plan()?;
    seen.take("the second plan", stage.workspace.show_plan()?.to_string());
    assert!(seen.take_apply(&stage.workspace, "a repair")?);
    let made_before = secrets.len();
    secrets.extend(secrets_in(&stage)?);
    assert!(secrets.len() > made_before + 2);

    seen.take("the state", stage.workspace.state()?.to_string());
    for repository in REPOSITORIES {
        let place = format!("the history of {repository}");
        seen.take(place, history(&stage, repository)?);
    }
    seen.take_outcome("a destroy", &stage.workspace.destroy()?.outcome);
    seen.take_files(stage.workspace.as_ref())?;
    assert!(stage.workspace.trace().contains("[TRACE]"));
    assert!(
        stage
            .workspace
            .path()
            .join("terraform.tfstate.backup")
            .is_file()
    );

    secrets.insert(secret_id);
    secrets.insert(stage.gitlab.root_token().to_owned());
    secrets.insert(stage.vault()?.root_token().to_owned());
    seen.expect_none_of(&secrets)
}

//! The secrets of code repositories are in Vault only.

#![expect(
    clippy::indexing_slicing,
    reason = "a missing field of a response reads as null"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testbed::{Failure, Fault, Method, Outcome, Workspace};

use crate::code_repo::SHOP;
use crate::openssh_key;
use crate::test_env::{Case, TestEnv};

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

/// Texts from a test, each with its source.
#[derive(Default)]
struct Texts(Vec<(String, String)>);

impl Texts {
    fn add(&mut self, source: impl Into<String>, text: impl Into<String>) {
        self.0.push((source.into(), text.into()));
    }

    fn add_outcome(&mut self, command: &str, outcome: &Outcome) {
        self.add(
            format!("the standard output of {command}"),
            outcome.stdout(),
        );
        self.add(format!("the standard error of {command}"), outcome.stderr());
    }

    /// Applies, and adds the output and the arguments of all processes; returns whether the apply succeeded.
    fn add_apply(&mut self, workspace: &Workspace, command: &str) -> anyhow::Result<bool> {
        let mut running = workspace.start_apply(&[])?;
        let mut arguments = BTreeSet::new();
        while !running.has_ended() {
            arguments.extend(arguments_of_all_processes());
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let has_provider = arguments
            .iter()
            .any(|line| line.contains("terraform-provider-nautes"));
        ensure!(has_provider, "the provider was not among the processes");
        for line in arguments {
            self.add(format!("the arguments of a process during {command}"), line);
        }
        let outcome = running.finish()?;
        self.add_outcome(command, &outcome);
        Ok(outcome.exit_code() == Some(0))
    }

    /// Adds all files in a folder: the state, its backups, plans and logs.
    fn add_files(&mut self, folder: &Path) -> Case {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                self.add_files(&path)?;
            } else {
                let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
                self.add(path.display().to_string(), text);
            }
        }
        Ok(())
    }

    fn check_no_secret(&self, secrets: &BTreeSet<String>) -> Case {
        for (source, text) in &self.0 {
            for secret in secrets {
                let shown: String = secret.chars().take(6).collect();
                ensure!(!text.contains(secret), "{shown}… is in {source}");
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

/// Reads all versions of the secrets in Vault: the lines of private keys, and tokens.
fn secrets_in(env: &TestEnv) -> anyhow::Result<BTreeSet<String>> {
    let vault = env.vault()?;
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
                // The public key, which a private key file holds too, is an attribute.
                let public = values["fingerprint"].as_str().unwrap_or_default();
                let lines = openssh_key::lines(private).into_iter();
                secrets.extend(lines.filter(|line| !public.contains(line.as_str())));
            }
            secrets.extend(values["accesstoken"].as_str().map(str::to_owned));
        }
    }
    Ok(secrets)
}

/// Configures the provider to log in with an `AppRole`; returns the secret id.
fn use_approle(env: &mut TestEnv) -> anyhow::Result<String> {
    let vault = env.vault()?;
    let api = |method, path: &str, body: Value| vault.api(method, path, Some(&body));
    api(
        Method::POST,
        "sys/auth/approle",
        json!({ "type": "approle" }),
    )?;
    let full_access =
        r#"path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }"#;
    let policy = json!({ "policy": full_access });
    api(Method::PUT, "sys/policies/acl/terraform", policy)?;
    let role = json!({ "token_policies": ["terraform"] });
    api(Method::POST, "auth/approle/role/terraform", role)?;
    let role = vault.api(Method::GET, "auth/approle/role/terraform/role-id", None)?;
    let path = "auth/approle/role/terraform/secret-id";
    let secret = api(Method::POST, path, json!({}))?["data"]["secret_id"].clone();
    let text = |value: &Value| {
        value
            .as_str()
            .map(str::to_owned)
            .context("the response has no id")
    };
    let (role, secret) = (text(&role["data"]["role_id"])?, text(&secret)?);
    let workspace = &mut env.workspace;
    workspace.set_env("NAUTES_VAULT_APPROLE_ROLE_ID", role);
    workspace.set_env("NAUTES_VAULT_APPROLE_SECRET_ID", &secret);
    Ok(secret)
}

/// Returns the history of a repository, with the changes of every commit.
fn history(env: &TestEnv, repository: &str) -> anyhow::Result<String> {
    let folder = env.clone(&format!("shop/{repository}"))?;
    let log = Command::new("git")
        .args(["log", "--patch", "--all"])
        .current_dir(folder)
        .output()?;
    ensure!(log.status.success() && !log.stdout.is_empty());
    Ok(String::from_utf8_lossy(&log.stdout).into_owned())
}

#[test]
fn keys_and_tokens_never_appear_in_states_plans_logs_messages_commits_or_arguments() -> Case {
    let mut env = TestEnv::with_vault(&format!("{SHOP}{PIPELINES}"))?;
    env.workspace = env.workspace.with_trace("TRACE");
    let secret_id = use_approle(&mut env)?;
    let mut texts = Texts::default();
    env.workspace.plan()?;
    texts.add("the first plan", env.workspace.show_plan()?.to_string());

    // First Vault and then GitLab refuse a request with a secret, in the middle of an apply.
    let body = json!({ "errors": ["permission denied"] }).to_string();
    let refused = Failure::Respond { status: 403, body };
    let fault = Fault::once("POST", "accesstoken-api", refused);
    env.vault()?.proxy().inject_fault(fault);
    assert!(!texts.add_apply(&env.workspace, "an apply that Vault stops")?);
    let failure = json!({ "respond": { "status": 403 } });
    let fault = json!({ "method": "POST", "path": "/access_tokens$", "failure": failure });
    env.gitlab.inject_fault(&fault)?;
    assert!(!texts.add_apply(&env.workspace, "an apply that GitLab stops")?);
    env.gitlab.clear_faults()?;
    assert!(texts.add_apply(&env.workspace, "an apply")?);
    let mut secrets = secrets_in(&env)?;

    // The repair creates another key and another token.
    let pipelines = env.workspace.resource("nautes_code_repo.pipelines")?;
    let key = &pipelines["deploy_keys"]["readonly"]["id"];
    let path = format!("/projects/shop%2Fpipelines/deploy_keys/{key}");
    env.gitlab.api(Method::DELETE, &path, None)?;
    let token = &pipelines["access_token"]["id"];
    let path = format!("/projects/shop%2Fpipelines/access_tokens/{token}");
    env.gitlab.api(Method::DELETE, &path, None)?;
    env.workspace.plan()?;
    texts.add("the second plan", env.workspace.show_plan()?.to_string());
    assert!(texts.add_apply(&env.workspace, "a repair")?);
    let count_before = secrets.len();
    secrets.extend(secrets_in(&env)?);
    assert!(secrets.len() > count_before + 2);

    texts.add("the state", env.workspace.state()?.to_string());
    for repository in REPOSITORIES {
        let source = format!("the history of {repository}");
        texts.add(source, history(&env, repository)?);
    }
    texts.add_outcome("a destroy", &env.workspace.destroy()?.outcome);
    texts.add_files(env.workspace.as_ref())?;
    assert!(env.workspace.trace().contains("[TRACE]"));
    assert!(
        env.workspace
            .path()
            .join("terraform.tfstate.backup")
            .is_file()
    );

    secrets.insert(secret_id);
    secrets.insert(env.gitlab.root_token().to_owned());
    secrets.insert(env.vault()?.root_token().to_owned());
    texts.check_no_secret(&secrets)
}

//! A workspace of the provider with the servers that it talks to.

use std::ops::Deref;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use testbed::{Calls, Emulator, EmulatorOptions, Method, OpenBao, OpenBaoProgram, Workspace, git};

use super::configurations::{CONFIG_REPOSITORY, QUICKLY};

/// The mounts that hold the credentials of code repositories, and those of clusters.
const MOUNTS: [&str; 2] = ["git", "cluster"];

/// A workspace and its GitLab.
#[derive(Debug)]
pub(super) struct Stack {
    pub(super) workspace: Workspace,
    pub(super) gitlab: Emulator,
    data: TempDir,
}

/// A workspace, its GitLab and its Vault.
#[derive(Debug)]
pub(super) struct VaultStack {
    stack: Stack,
    vault: OpenBao,
}

/// The calls that one step made to each server.
#[derive(Debug, Clone)]
pub(super) struct ServerCalls {
    pub(super) gitlab: Calls,
    pub(super) vault: Calls,
}

impl Stack {
    /// Starts an empty GitLab.
    pub(super) fn start(
        workspace: Workspace,
        emulator: &Path,
        data: TempDir,
    ) -> anyhow::Result<Self> {
        let options = EmulatorOptions::new(emulator, data.path().join("gitlab"));
        let gitlab = Emulator::start(&options)?;
        let workspace = workspace
            .env("NAUTES_GITLAB_URL", gitlab.url())
            .env("NAUTES_GITLAB_TOKEN", gitlab.root_token());
        Ok(Self {
            workspace,
            gitlab,
            data,
        })
    }

    /// Replaces the configuration.
    pub(super) fn write(&self, configuration: &str) -> anyhow::Result<()> {
        Ok(self.workspace.write("main.tf", configuration)?)
    }

    /// Replaces the configuration and applies it at a high parallelism.
    pub(super) fn apply_quickly(&self, configuration: &str) -> anyhow::Result<()> {
        self.write(configuration)?;
        self.workspace.apply_with(&[QUICKLY])?;
        Ok(())
    }

    /// Applies, and returns the calls to GitLab.
    pub(super) fn apply(&self, arguments: &[&str]) -> anyhow::Result<Calls> {
        let (applied, calls) = self
            .gitlab
            .calls_during(|| self.workspace.apply_with(arguments))?;
        applied?;
        Ok(calls)
    }

    /// Plans, and returns the calls to GitLab.
    pub(super) fn plan(&self, arguments: &[&str]) -> anyhow::Result<Calls> {
        let (planned, calls) = self
            .gitlab
            .calls_during(|| self.workspace.plan_with(arguments))?;
        planned?;
        Ok(calls)
    }

    /// Makes a plan that only refreshes, and returns the calls to GitLab.
    pub(super) fn refresh(&self) -> anyhow::Result<Calls> {
        self.plan(&["-refresh-only"])
    }

    /// Makes a plan that only refreshes, and returns whether it reports changes.
    pub(super) fn refresh_reports_changes(&self) -> anyhow::Result<bool> {
        let outcome = self.workspace.run([
            "plan",
            "-json",
            "-input=false",
            "-refresh-only",
            "-detailed-exitcode",
        ])?;
        if outcome.exit_code() == Some(2) {
            return Ok(true);
        }
        outcome.success()?;
        Ok(false)
    }

    /// Commits a file to the configuration repository, as another writer does.
    pub(super) fn commit(&self, action: &str, file: &str, content: &str) -> anyhow::Result<()> {
        let commit = json!({
            "branch": "main",
            "commit_message": "By hand",
            "actions": [{ "action": action, "file_path": file, "content": content }],
        });
        let project = CONFIG_REPOSITORY.replace('/', "%2F");
        let path = format!("/projects/{project}/repository/commits");
        self.gitlab.api(Method::POST, &path, Some(&commit))?;
        Ok(())
    }

    /// Clones the configuration repository.
    pub(super) fn clone_config_repository(&self, folder: &Path) -> anyhow::Result<()> {
        let url = format!("{}/{CONFIG_REPOSITORY}.git", self.gitlab.url());
        Ok(git::clone(&url, self.gitlab.root_token(), folder)?)
    }

    /// Returns a string attribute of a resource in the state.
    pub(super) fn attribute(&self, address: &str, name: &str) -> anyhow::Result<String> {
        let attributes = self.workspace.resource(address)?;
        let value = attributes.get(name).and_then(Value::as_str);
        value
            .map(str::to_owned)
            .ok_or_else(|| anyhow::anyhow!("{address} has no string `{name}`: {attributes}"))
    }
}

impl VaultStack {
    /// Starts an empty Vault beside a GitLab.
    pub(super) fn start(mut stack: Stack) -> anyhow::Result<Self> {
        let folder = stack.data.path().join("vault");
        let vault = OpenBao::start(OpenBaoProgram::obtain()?, &folder)?;
        for mount in MOUNTS {
            vault.enable_kv(mount)?;
        }
        stack.workspace.set_env("NAUTES_VAULT_ADDRESS", vault.url());
        stack
            .workspace
            .set_env("NAUTES_VAULT_TOKEN", vault.root_token());
        Ok(Self { stack, vault })
    }

    /// Runs a step of the stack, and returns the calls to both servers.
    pub(super) fn calls_during(
        &self,
        step: impl FnOnce(&Stack) -> anyhow::Result<Calls>,
    ) -> anyhow::Result<ServerCalls> {
        let (gitlab, vault) = self.vault.proxy().calls_during(|| step(&self.stack));
        Ok(ServerCalls {
            gitlab: gitlab?,
            vault,
        })
    }
}

impl Deref for VaultStack {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        &self.stack
    }
}

//! The environment of a case: a workspace, a GitLab emulator and, if needed, a Vault.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use testbed::{
    Emulator, EmulatorOptions, Method, OpenBao, OpenBaoProgram, Provider, Terraform, Workspace,
    emulator_executable, git,
};

/// The result of a case; the message of an error shows its causes.
pub(crate) type Case = anyhow::Result<()>;

/// A workspace with its own GitLab, which is empty at first.
pub(crate) struct TestEnv {
    /// The folder with the configuration, in which the command line runs.
    pub(crate) workspace: Workspace,
    /// The GitLab that the environment variables of the workspace name.
    pub(crate) gitlab: Emulator,
    /// The Vault that the environment variables of the workspace name, if any.
    vault: Option<OpenBao>,
    folder: TempDir,
}

impl TestEnv {
    /// Makes an environment with `body` as the configuration, after the provider requirement.
    pub(crate) fn new(body: &str) -> anyhow::Result<Self> {
        Self::with_terraform(Terraform::obtain()?, body)
    }

    /// Makes an environment for a particular command line.
    pub(crate) fn with_terraform(terraform: &Terraform, body: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let gitlab = Emulator::start(&EmulatorOptions::new(
            emulator_executable()?,
            folder.path().join("gitlab"),
        ))?;
        Ok(Self {
            workspace: workspace_on(&gitlab, terraform, body)?,
            gitlab,
            vault: None,
            folder,
        })
    }

    /// Makes an environment with a Vault, in which only the key-value engine for credentials is
    /// mounted.
    pub(crate) fn with_vault(body: &str) -> anyhow::Result<Self> {
        let mut env = Self::new(body)?;
        let vault = OpenBao::start(OpenBaoProgram::obtain()?, &env.folder.path().join("vault"))?;
        vault.enable_kv("git")?;
        env.workspace.set_env("NAUTES_VAULT_ADDRESS", vault.url());
        let token = vault.root_token();
        env.workspace.set_env("NAUTES_VAULT_TOKEN", token);
        env.vault = Some(vault);
        Ok(env)
    }

    /// Returns the Vault; an error if the environment has none.
    pub(crate) fn vault(&self) -> anyhow::Result<&OpenBao> {
        let vault = self.vault.as_ref();
        vault.ok_or_else(|| anyhow::anyhow!("the test environment has no Vault"))
    }

    /// Makes another workspace, with its own state, on the same GitLab.
    pub(crate) fn new_workspace(&self, body: &str) -> anyhow::Result<Workspace> {
        workspace_on(&self.gitlab, self.workspace.terraform(), body)
    }

    /// Replaces the configuration.
    pub(crate) fn write(&self, body: &str) -> anyhow::Result<()> {
        Ok(self.workspace.write("main.tf", body)?)
    }

    /// Commits to the default branch of a repository; `actions` has the format of GitLab's API.
    pub(crate) fn commit(&self, repository: &str, actions: &Value) -> anyhow::Result<()> {
        let project = repository.replace('/', "%2F");
        let commit = json!({ "branch": "main", "commit_message": "By hand", "actions": actions });
        let path = format!("/projects/{project}/repository/commits");
        self.gitlab.api(Method::POST, &path, Some(&commit))?;
        Ok(())
    }

    /// Reads a file from a fresh clone of a repository.
    pub(crate) fn read_file(&self, repository: &str, path: &str) -> anyhow::Result<String> {
        Ok(fs::read_to_string(self.clone(repository)?.join(path))?)
    }

    /// Makes a fresh clone of a repository, given its path such as `shop/default.project`.
    pub(crate) fn clone(&self, repository: &str) -> anyhow::Result<PathBuf> {
        let folder = self.folder.path().join("clones").join(repository);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let url = format!("{}/{repository}.git", self.gitlab.url());
        git::clone(&url, self.gitlab.root_token(), &folder)?;
        Ok(folder)
    }
}

fn workspace_on(gitlab: &Emulator, terraform: &Terraform, body: &str) -> anyhow::Result<Workspace> {
    let provider = Provider::nautes(env!("CARGO_BIN_EXE_terraform-provider-nautes"));
    let workspace = Workspace::new(terraform, &provider)?
        .env("NAUTES_GITLAB_URL", gitlab.url())
        .env("NAUTES_GITLAB_TOKEN", gitlab.root_token());
    workspace.write("provider.tf", &provider.requirement())?;
    workspace.write("main.tf", body)?;
    Ok(workspace)
}

/// Lists the modules in a folder: its files and folders, except `main.rs`.
pub(crate) fn modules_in(folder: &Path) -> io::Result<Vec<String>> {
    let paths: Vec<_> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    let names = paths.iter().filter_map(|path| path.file_stem()?.to_str());
    Ok(names
        .filter(|name| *name != "main")
        .map(str::to_owned)
        .collect())
}

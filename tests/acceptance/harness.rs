//! What every case starts from.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use testbed::{
    Emulator, EmulatorOptions, Method, OpenBao, OpenBaoProgram, Provider, Terraform, Workspace,
    emulator_executable, git,
};

/// The outcome of a case; its message shows the causes.
pub(crate) type Case = anyhow::Result<()>;

/// A workspace, and a GitLab of its own with nothing in it.
pub(crate) struct Stage {
    /// Where the configuration is, and the command line that runs on it.
    pub(crate) workspace: Workspace,
    /// The GitLab that the provider is configured for by the environment.
    pub(crate) gitlab: Emulator,
    /// The Vault that the provider is configured for, on a stage with one.
    vault: Option<OpenBao>,
    folder: TempDir,
}

impl Stage {
    /// Sets the stage with `body` as the configuration; the provider's requirement is added.
    pub(crate) fn with(body: &str) -> anyhow::Result<Self> {
        Self::run_by(Terraform::obtain()?, body)
    }

    /// Sets the stage for one command line.
    pub(crate) fn run_by(terraform: &Terraform, body: &str) -> anyhow::Result<Self> {
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

    /// Sets the stage with a Vault, in which nothing but the key-value engine of credentials is mounted.
    pub(crate) fn with_vault(body: &str) -> anyhow::Result<Self> {
        let mut stage = Self::with(body)?;
        let vault = OpenBao::start(
            OpenBaoProgram::obtain()?,
            &stage.folder.path().join("vault"),
        )?;
        vault.enable_kv("git")?;
        stage.workspace.set_env("NAUTES_VAULT_ADDRESS", vault.url());
        let token = vault.root_token();
        stage.workspace.set_env("NAUTES_VAULT_TOKEN", token);
        stage.vault = Some(vault);
        Ok(stage)
    }

    /// The Vault of the stage.
    pub(crate) fn vault(&self) -> anyhow::Result<&OpenBao> {
        let vault = self.vault.as_ref();
        vault.ok_or_else(|| anyhow::anyhow!("the stage has no Vault"))
    }

    /// Makes another workspace, with a state of its own, on the same GitLab.
    pub(crate) fn beside(&self, body: &str) -> anyhow::Result<Workspace> {
        workspace_on(&self.gitlab, self.workspace.terraform(), body)
    }

    /// Replaces the configuration.
    pub(crate) fn write(&self, body: &str) -> anyhow::Result<()> {
        Ok(self.workspace.write("main.tf", body)?)
    }

    /// Commits to the default branch of a repository by hand; the actions are those of GitLab's API.
    pub(crate) fn commit(&self, repository: &str, actions: &Value) -> anyhow::Result<()> {
        let project = repository.replace('/', "%2F");
        let commit = json!({ "branch": "main", "commit_message": "By hand", "actions": actions });
        let path = format!("/projects/{project}/repository/commits");
        self.gitlab.api(Method::POST, &path, Some(&commit))?;
        Ok(())
    }

    /// The text of a file in a fresh clone of a repository.
    pub(crate) fn manifest(&self, repository: &str, path: &str) -> anyhow::Result<String> {
        Ok(fs::read_to_string(self.clone(repository)?.join(path))?)
    }

    /// Clones a repository, given its path such as `shop/default.project`, anew.
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

/// The names of the modules in a folder: files and folders, `main.rs` aside.
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

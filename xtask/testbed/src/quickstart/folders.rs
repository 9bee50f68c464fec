//! The files of a quickstart.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use testbed::cargo;

use super::workers::Worker;

/// The folder of a quickstart, and the paths in it.
#[derive(Debug)]
pub(super) struct Folders {
    root: PathBuf,
}

impl Folders {
    /// Uses the given folder, or `target/quickstart`.
    pub(super) fn new(root: Option<&Path>) -> anyhow::Result<Self> {
        let root = root.map_or_else(default_root, Path::to_owned);
        let root = std::path::absolute(&root)
            .with_context(|| format!("cannot make {} absolute", root.display()))?;
        Ok(Self { root })
    }

    /// Returns the folder that contains the others.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the command that destroys the quickstart in this folder.
    pub(super) fn destroy_command(&self) -> String {
        let command = "cargo xtask quickstart --destroy";
        if self.root == default_root() {
            command.to_owned()
        } else {
            format!("{command} --folder {}", self.root.display())
        }
    }

    /// Returns the folder of the data and the log of the GitLab emulator.
    pub(super) fn gitlab(&self) -> PathBuf {
        self.root.join("gitlab")
    }

    /// Returns the folder of the data and the log of `OpenBao`.
    pub(super) fn vault(&self) -> PathBuf {
        self.root.join("vault")
    }

    /// Returns the folder of the data and the logs of a Kubernetes control plane.
    pub(super) fn cluster(&self, worker: Worker) -> PathBuf {
        self.root.join(worker.cluster())
    }

    /// Returns the path of the kubeconfig of a cluster's administrator.
    pub(super) fn kubeconfig(&self, worker: Worker) -> PathBuf {
        self.root.join(format!("{}.kubeconfig", worker.cluster()))
    }

    /// Returns the path of a script that runs kubectl in the cluster that its first argument names.
    pub(super) fn kubectl(&self) -> PathBuf {
        self.root.join("kubectl")
    }

    /// Returns the folder of the user's copy of the example.
    pub(super) fn configuration(&self) -> PathBuf {
        self.root.join("configuration")
    }

    /// Returns the filesystem mirror from which the provider is installed.
    pub(super) fn providers(&self) -> PathBuf {
        self.root.join("providers")
    }

    /// Returns the path of the command-line configuration, which names the mirror.
    pub(super) fn cli_config(&self) -> PathBuf {
        self.root.join("cli.tfrc")
    }

    /// Returns the path of the variables for a shell.
    pub(super) fn shell_variables(&self) -> PathBuf {
        self.root.join("env")
    }

    /// Returns the folder of a clone of the product's configuration repository.
    pub(super) fn repository_clone(&self) -> PathBuf {
        self.root.join("default.project")
    }

    /// Returns the path of the record of the running servers.
    pub(super) fn server_record(&self) -> PathBuf {
        self.root.join("servers.json")
    }

    /// Creates the folder, or checks that it belongs to a quickstart, since all of it will be removed.
    pub(super) fn claim(&self) -> anyhow::Result<()> {
        if self.marker().exists() {
            return Ok(());
        }
        let failure = || {
            format!(
                "cannot use {} as the folder of a quickstart",
                self.root.display()
            )
        };
        fs::create_dir_all(&self.root).with_context(failure)?;
        let is_empty = fs::read_dir(&self.root)
            .with_context(failure)?
            .next()
            .is_none();
        ensure!(
            is_empty,
            "{} is not empty and not the folder of a quickstart; use another one",
            self.root.display()
        );
        fs::write(
            self.marker(),
            format!("`{}` removes this folder.\n", self.destroy_command()),
        )
        .with_context(failure)
    }

    /// Removes the folder if it belongs to a quickstart.
    pub(super) fn remove(&self) -> anyhow::Result<()> {
        if !self.marker().exists() {
            return Ok(());
        }
        fs::remove_dir_all(&self.root)
            .with_context(|| format!("cannot remove {}", self.root.display()))
    }

    fn marker(&self) -> PathBuf {
        self.root.join("quickstart.txt")
    }
}

fn default_root() -> PathBuf {
    cargo::target_folder().join("quickstart")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_folder_is_neither_claimed_nor_removed() {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("precious");
        fs::write(&precious, "").unwrap();
        let folders = Folders::new(Some(folder.path())).unwrap();
        assert!(folders.claim().is_err());
        folders.remove().unwrap();
        assert!(precious.exists());
    }

    #[test]
    fn a_claimed_folder_is_claimed_again_and_removed() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("deep/quickstart");
        let folders = Folders::new(Some(&root)).unwrap();
        folders.claim().unwrap();
        fs::write(root.join("anything"), "").unwrap();
        folders.claim().unwrap();
        folders.remove().unwrap();
        assert!(!root.exists());
    }
}

//! Where a quickstart keeps what it makes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use testbed::cargo;

/// Everything that a quickstart makes, below one folder.
#[derive(Debug)]
pub(super) struct Folders {
    root: PathBuf,
}

impl Folders {
    pub(super) fn below(root: Option<&Path>) -> anyhow::Result<Self> {
        let root = root.map_or_else(default_root, Path::to_owned);
        let root = std::path::absolute(&root)
            .with_context(|| format!("cannot make {} absolute", root.display()))?;
        Ok(Self { root })
    }

    /// What a user types to destroy what is below this folder.
    pub(super) fn destroy_command(&self) -> String {
        let command = "cargo xtask quickstart --destroy";
        if self.root == default_root() {
            command.to_owned()
        } else {
            format!("{command} --folder {}", self.root.display())
        }
    }

    /// Where the GitLab emulator keeps its data and its log.
    pub(super) fn gitlab(&self) -> PathBuf {
        self.root.join("gitlab")
    }

    /// Where `OpenBao` keeps its data and its log.
    pub(super) fn vault(&self) -> PathBuf {
        self.root.join("vault")
    }

    /// The user's copy of the example.
    pub(super) fn configuration(&self) -> PathBuf {
        self.root.join("configuration")
    }

    /// The filesystem mirror that the provider is installed from.
    pub(super) fn providers(&self) -> PathBuf {
        self.root.join("providers")
    }

    /// The command-line configuration that names the mirror.
    pub(super) fn cli_config(&self) -> PathBuf {
        self.root.join("cli.tfrc")
    }

    /// The variables that a shell needs to go on by hand.
    pub(super) fn shell_variables(&self) -> PathBuf {
        self.root.join("env")
    }

    /// A clone of the product's configuration repository.
    pub(super) fn repository_clone(&self) -> PathBuf {
        self.root.join("default.project")
    }

    /// The record of the running servers.
    pub(super) fn server_record(&self) -> PathBuf {
        self.root.join("servers.json")
    }

    /// Makes the folder, or makes sure that it is one of a quickstart, since all of it will be removed.
    pub(super) fn claim(&self) -> anyhow::Result<()> {
        if self.mark().exists() {
            return Ok(());
        }
        let failure = || {
            format!(
                "cannot make {} a folder of a quickstart",
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
            "{} holds something else; give an empty folder",
            self.root.display()
        );
        fs::write(
            self.mark(),
            format!("`{}` removes this folder.\n", self.destroy_command()),
        )
        .with_context(failure)
    }

    /// Removes the folder if it is one of a quickstart.
    pub(super) fn remove(&self) -> anyhow::Result<()> {
        if !self.mark().exists() {
            return Ok(());
        }
        fs::remove_dir_all(&self.root)
            .with_context(|| format!("cannot remove {}", self.root.display()))
    }

    fn mark(&self) -> PathBuf {
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
    fn a_folder_that_holds_something_else_is_neither_taken_nor_removed() {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("precious");
        fs::write(&precious, "").unwrap();
        let folders = Folders::below(Some(folder.path())).unwrap();
        assert!(folders.claim().is_err());
        folders.remove().unwrap();
        assert!(precious.exists());
    }

    #[test]
    fn a_claimed_folder_is_claimed_again_and_removed() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("deep/quickstart");
        let folders = Folders::below(Some(&root)).unwrap();
        folders.claim().unwrap();
        fs::write(root.join("anything"), "").unwrap();
        folders.claim().unwrap();
        folders.remove().unwrap();
        assert!(!root.exists());
    }
}

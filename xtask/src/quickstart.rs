//! From a fresh checkout to a finished apply of `examples/quickstart`, against a GitLab on loopback.

mod configuration;
mod private_file;
mod report;
mod server;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use testbed::cargo;
use testbed::progress::{say, step};
use testbed::{Provider, Terraform, emulator_executable};

use self::configuration::Configuration;
use self::server::Server;

/// Everything that a quickstart makes, below one folder.
#[derive(Debug)]
struct Folders {
    root: PathBuf,
}

impl Folders {
    fn in_target() -> Self {
        Self {
            root: cargo::target_folder().join("quickstart"),
        }
    }

    /// Where the GitLab emulator keeps its data and its log.
    fn gitlab(&self) -> PathBuf {
        self.root.join("gitlab")
    }

    /// The user's copy of the example.
    fn configuration(&self) -> PathBuf {
        self.root.join("configuration")
    }

    /// The filesystem mirror that the provider is installed from.
    fn providers(&self) -> PathBuf {
        self.root.join("providers")
    }

    /// The command-line configuration that names the mirror.
    fn cli_config(&self) -> PathBuf {
        self.root.join("cli.tfrc")
    }

    /// The variables that a shell needs to go on by hand.
    fn shell_variables(&self) -> PathBuf {
        self.root.join("env")
    }

    /// A clone of the product's configuration repository.
    fn repository_clone(&self) -> PathBuf {
        self.root.join("default.project")
    }
}

/// Sets everything up, applies, shows that the next plan is empty, and tells what was made.
pub(crate) fn up() -> anyhow::Result<()> {
    let folders = Folders::in_target();
    let terraform = step("Terraform or OpenTofu", Terraform::obtain)?;
    say(&format!("  {terraform}, {}", terraform.program().display()));
    say("Building the provider and the GitLab emulator");
    let provider = Provider::build_nautes()?;
    let emulator = emulator_executable()?;
    let server = Server::start_or_reuse(&folders, &emulator)?;
    let configuration = Configuration::prepare(&folders, terraform, &server)?;
    step("Installing the provider", || {
        configuration.install(&provider)
    })?;
    say("Applying the configuration");
    configuration.apply()?;
    say("Planning again: there is nothing to do");
    configuration.plan_nothing()?;
    report::show(&folders, &configuration, &server)
}

/// Destroys what is applied, stops the server and removes everything.
pub(crate) fn destroy() -> anyhow::Result<()> {
    let folders = Folders::in_target();
    let Some(server) = Server::running(&folders) else {
        remove(&folders.root)?;
        say("No quickstart is running; nothing is left of it.");
        return Ok(());
    };
    let terraform = Terraform::obtain()?;
    let configuration = Configuration::prepare(&folders, terraform, &server)?;
    say("Destroying what was applied");
    configuration.destroy().with_context(|| {
        format!(
            "the GitLab server still runs at {} (process {})",
            server.url(),
            server.pid()
        )
    })?;
    server.stop(&folders);
    if Server::running(&folders).is_some() {
        bail!(
            "the GitLab server did not stop; end process {} yourself",
            server.pid()
        );
    }
    remove(&folders.root)?;
    say("The quickstart is gone: resources destroyed, server stopped, files removed.");
    Ok(())
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))
}

//! From a fresh checkout to a finished apply of `examples/quickstart`, against a GitLab and an `OpenBao` on loopback.

mod configuration;
mod folders;
mod private_file;
mod report;
mod servers;
mod tree;

use std::path::Path;

use anyhow::Context;
use testbed::progress::{say, step};
use testbed::{Provider, Terraform, emulator_executable};

use self::configuration::Configuration;
use self::folders::Folders;
use self::servers::Servers;

/// Sets up or destroys a quickstart below `folder`.
pub(crate) fn run(folder: Option<&Path>, destroys: bool) -> anyhow::Result<()> {
    let folders = Folders::below(folder)?;
    if destroys {
        destroy(&folders)
    } else {
        up(&folders)
    }
}

/// Sets everything up, applies, shows that the next plan is empty, and tells what was made.
fn up(folders: &Folders) -> anyhow::Result<()> {
    folders.claim()?;
    let terraform = step("Terraform or OpenTofu", Terraform::obtain)?;
    say(&format!("  {terraform}, {}", terraform.program().display()));
    say("Building the provider and the GitLab emulator");
    let provider = Provider::build_nautes()?;
    emulator_executable()?;
    let servers = Servers::start_or_reuse(folders)?;
    let configuration = Configuration::prepare(folders, terraform, &servers)?;
    step("Installing the provider", || {
        configuration.install(&provider)
    })?;
    say("Applying the configuration");
    configuration.apply()?;
    say("Planning again: there is nothing to do");
    configuration.plan_nothing()?;
    report::show(folders, &configuration, &servers)
}

/// Destroys what is applied, stops the servers and removes everything.
fn destroy(folders: &Folders) -> anyhow::Result<()> {
    let Some(servers) = Servers::running(folders) else {
        Servers::stop(folders)?;
        folders.remove()?;
        say("No quickstart is running, and nothing is left of one.");
        return Ok(());
    };
    let terraform = Terraform::obtain()?;
    let configuration = Configuration::prepare(folders, terraform, &servers)?;
    say("Destroying what was applied");
    configuration.destroy().with_context(|| {
        format!(
            "GitLab still runs at {} (process {}), and OpenBao at {} (process {})",
            servers.gitlab.url,
            servers.gitlab.pid,
            servers.vault.url(),
            servers.vault.pid(),
        )
    })?;
    Servers::stop(folders)?;
    folders.remove()?;
    say("The quickstart is gone: resources destroyed, servers stopped, files removed.");
    Ok(())
}

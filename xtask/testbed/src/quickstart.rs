//! Applies `examples/quickstart` to a GitLab emulator, an `OpenBao` and two Kubernetes control planes on loopback, from a
//! fresh checkout.

mod configuration;
mod folders;
mod private_file;
mod report;
mod servers;
mod tree;
mod workers;

use std::path::Path;

use anyhow::Context;
use testbed::progress::{say, step};
use testbed::{Provider, Terraform, emulator_executable};

use self::configuration::Configuration;
use self::folders::Folders;
use self::servers::Servers;

/// Sets up or destroys the quickstart in `folder`.
pub(crate) fn run(folder: Option<&Path>, destroy: bool) -> anyhow::Result<()> {
    let folders = Folders::new(folder)?;
    if destroy {
        tear_down(&folders)
    } else {
        set_up(&folders)
    }
}

/// Starts the servers, applies the configuration, shows that the next plan is empty, and reports what was created.
fn set_up(folders: &Folders) -> anyhow::Result<()> {
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
    say("Planning again, which finds nothing to change");
    configuration.require_empty_plan()?;
    report::show(folders, &configuration, &servers)
}

/// Destroys the resources, stops the servers and removes the files.
fn tear_down(folders: &Folders) -> anyhow::Result<()> {
    let Some(servers) = Servers::running(folders) else {
        Servers::stop(folders)?;
        folders.remove()?;
        say("No quickstart is running.");
        return Ok(());
    };
    let terraform = Terraform::obtain()?;
    let configuration = Configuration::prepare(folders, terraform, &servers)?;
    say("Destroying the resources");
    configuration.destroy().with_context(|| {
        format!(
            "GitLab is still running at {} (process {}), and OpenBao at {} (process {})",
            servers.gitlab.url,
            servers.gitlab.pid,
            servers.vault.url(),
            servers.vault.pid(),
        )
    })?;
    Servers::stop(folders)?;
    folders.remove()?;
    say("The resources are destroyed, the servers stopped and the files removed.");
    Ok(())
}

//! From a fresh checkout to a finished apply of `examples/quickstart`, against a GitLab on loopback.

mod configuration;
mod folders;
mod private_file;
mod report;
mod server;
mod tree;

use std::path::Path;

use anyhow::{Context, bail};
use testbed::progress::{say, step};
use testbed::{Provider, Terraform, emulator_executable};

use self::configuration::Configuration;
use self::folders::Folders;
use self::server::Server;

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
    let emulator = emulator_executable()?;
    let server = Server::start_or_reuse(folders, &emulator)?;
    let configuration = Configuration::prepare(folders, terraform, &server)?;
    step("Installing the provider", || {
        configuration.install(&provider)
    })?;
    say("Applying the configuration");
    configuration.apply()?;
    say("Planning again: there is nothing to do");
    configuration.plan_nothing()?;
    report::show(folders, &configuration, &server)
}

/// Destroys what is applied, stops the server and removes everything.
fn destroy(folders: &Folders) -> anyhow::Result<()> {
    let Some(server) = Server::running(folders) else {
        folders.remove()?;
        say("No quickstart is running, and nothing is left of one.");
        return Ok(());
    };
    let terraform = Terraform::obtain()?;
    let configuration = Configuration::prepare(folders, terraform, &server)?;
    say("Destroying what was applied");
    configuration.destroy().with_context(|| {
        format!(
            "the GitLab server still runs at {} (process {})",
            server.url(),
            server.pid()
        )
    })?;
    server.stop(folders);
    if Server::running(folders).is_some() {
        bail!(
            "the GitLab server did not stop; end process {} yourself",
            server.pid()
        );
    }
    folders.remove()?;
    say("The quickstart is gone: resources destroyed, server stopped, files removed.");
    Ok(())
}

//! Tells what a quickstart made and how to go on.

use std::fs;

use anyhow::Context;
use testbed::git;

use super::configuration::Configuration;
use super::folders::Folders;
use super::server::Server;
use super::tree;

/// Clones the configuration repository, and prints what is in it and what can be done next.
#[expect(
    clippy::print_stdout,
    reason = "the report is what the task is run for"
)]
pub(super) fn show(
    folders: &Folders,
    configuration: &Configuration<'_>,
    server: &Server,
) -> anyhow::Result<()> {
    let repository = configuration.output("config_repository_url")?;
    let clone = folders.repository_clone();
    if clone.exists() {
        fs::remove_dir_all(&clone).with_context(|| format!("cannot remove {}", clone.display()))?;
    }
    git::clone(&repository, server.token(), &clone)?;
    let tree = tree::draw(&clone).with_context(|| format!("cannot read {}", clone.display()))?;
    let with_credentials = repository.replacen("://", "://oauth2:$NAUTES_GITLAB_TOKEN@", 1);
    println!(
        "
The product's configuration repository now holds, and so does its clone {clone}:

{tree}
Clone it yourself (any user name; the token is the password):
  . {env}
  git clone \"{with_credentials}\"

Change something:
  . {env}
  cd {folder}
  # edit variables.tf or main.tf, for example add a project
  {command} plan
  {command} apply

Destroy everything and stop the server at {url} (process {pid}):
  {destroy}
",
        clone = clone.display(),
        command = configuration.terraform().typed(),
        destroy = folders.destroy_command(),
        env = folders.shell_variables().display(),
        folder = folders.configuration().display(),
        url = server.url(),
        pid = server.pid(),
    );
    Ok(())
}

//! Reports what a quickstart created and what to do next.

use std::fs;

use anyhow::Context;
use testbed::{DetachedControlPlane, git};

use super::configuration::Configuration;
use super::folders::Folders;
use super::servers::Servers;
use super::tree;

/// Clones the configuration repository and prints its content and the next steps.
#[expect(clippy::print_stdout, reason = "the report is the output of the task")]
pub(super) fn show(
    folders: &Folders,
    configuration: &Configuration<'_>,
    servers: &Servers,
) -> anyhow::Result<()> {
    let repository = configuration.output("config_repository_url")?;
    let clone = folders.repository_clone();
    if clone.exists() {
        fs::remove_dir_all(&clone).with_context(|| format!("cannot remove {}", clone.display()))?;
    }
    git::clone(&repository, &servers.gitlab.root_token, &clone)?;
    let tree = tree::draw(&clone).with_context(|| format!("cannot read {}", clone.display()))?;
    let with_credentials = repository.replacen("://", "://oauth2:$NAUTES_GITLAB_TOKEN@", 1);
    let secret = configuration.output("secret")?;
    show_cluster(folders, servers)?;
    println!(
        "
The product's configuration repository, of which {clone} is a clone:

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

List the secrets of a repository, and read one:
  . {env}
  curl -sH \"X-Vault-Token: $NAUTES_VAULT_TOKEN\" \"$NAUTES_VAULT_ADDRESS/v1/{secrets}?list=true\"
  curl -sH \"X-Vault-Token: $NAUTES_VAULT_TOKEN\" \"$NAUTES_VAULT_ADDRESS/v1/{secret}\"

Destroy everything and stop the servers, GitLab at {gitlab} (process {gitlab_pid}), OpenBao at {vault} (process {vault_pid}){cluster}:
  {destroy}
",
        clone = clone.display(),
        cluster = servers.cluster.as_ref().map_or_else(String::new, |cluster| {
            format!(" and Kubernetes at {} (process {})", cluster.url(), cluster.pid())
        }),
        command = configuration.terraform().command_name(),
        destroy = folders.destroy_command(),
        env = folders.shell_variables().display(),
        folder = folders.configuration().display(),
        gitlab = servers.gitlab.url,
        gitlab_pid = servers.gitlab.pid,
        secret = api_path(&secret, "data"),
        secrets = api_path(secret.rsplit_once('/').map_or("", |(folder, _)| folder), "metadata"),
        vault = servers.vault.url(),
        vault_pid = servers.vault.pid(),
    );
    Ok(())
}

/// Prints what the provider has made in the cluster, if there is one.
#[expect(clippy::print_stdout, reason = "the report is the output of the task")]
fn show_cluster(folders: &Folders, servers: &Servers) -> anyhow::Result<()> {
    let Some(cluster) = &servers.cluster else {
        return Ok(());
    };
    let kubeconfig = folders.kubeconfig();
    let selector = "app.kubernetes.io/managed-by=terraform-provider-nautes";
    let kinds = "namespaces,deployments,services,serviceaccounts";
    let listed = DetachedControlPlane::kubectl(
        &kubeconfig,
        ["get", kinds, "-A", "-l", selector, "-o", "name"],
    )?;
    let indented = listed.stdout.lines().map(|line| format!("  {line}\n"));
    println!(
        "
The cluster deployment-01, which is a Kubernetes API without nodes at {url}, has of the provider:

{objects}
With kubectl: kubectl --kubeconfig {kubeconfig} get namespaces",
        url = cluster.url(),
        objects = indented.collect::<String>(),
        kubeconfig = kubeconfig.display(),
    );
    Ok(())
}

/// Returns the path of `<mount>/<path>` in the API, for its data or its metadata.
fn api_path(path: &str, kind: &str) -> String {
    let (mount, path) = path.split_once('/').unwrap_or((path, ""));
    format!("{mount}/{kind}/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_has_a_segment_between_mount_and_path() {
        assert_eq!(api_path("git/a/b", "data"), "git/data/a/b");
    }
}

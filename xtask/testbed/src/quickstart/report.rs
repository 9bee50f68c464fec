//! Reports what a quickstart created and what to do next.

use std::fs;

use anyhow::Context;
use testbed::{DetachedControlPlane, git};

use super::configuration::Configuration;
use super::folders::Folders;
use super::servers::Servers;
use super::tree;
use super::workers::Worker;

/// Clones the configuration repository and prints its content and the next steps.
#[expect(clippy::print_stdout, reason = "the report is the output of the task")]
pub(super) fn show(
    folders: &Folders,
    configuration: &Configuration<'_>,
    servers: &Servers,
) -> anyhow::Result<()> {
    let repository: String = configuration.output("config_repository_url")?;
    let clone = folders.repository_clone();
    if clone.exists() {
        fs::remove_dir_all(&clone).with_context(|| format!("cannot remove {}", clone.display()))?;
    }
    git::clone(&repository, &servers.gitlab.root_token, &clone)?;
    let tree = tree::draw(&clone).with_context(|| format!("cannot read {}", clone.display()))?;
    let with_credentials = with_credentials(&repository);
    let secret: String = configuration.output("secret")?;
    show_clusters(folders, servers)?;
    let clusters = servers.workers.values();
    let clusters = clusters.map(|cluster| {
        format!(
            ", Kubernetes at {} (process {})",
            cluster.url(),
            cluster.pid()
        )
    });
    let clusters: Vec<String> = clusters.collect();
    let repositories = configuration.repositories()?;
    let source = repositories
        .iter()
        .find(|(name, _)| name.ends_with("-source"));
    if let Some((name, url)) = source.filter(|_| servers.workers.contains_key(&Worker::Pipeline)) {
        show_push(folders, name, url);
    }
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

Destroy everything and stop the servers, GitLab at {gitlab} (process {gitlab_pid}), OpenBao at {vault} (process {vault_pid}){clusters}:
  {destroy}
",
        clone = clone.display(),
        clusters = clusters.concat(),
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

/// Prints what the provider has made in the clusters, if there are any.
#[expect(clippy::print_stdout, reason = "the report is the output of the task")]
fn show_clusters(folders: &Folders, servers: &Servers) -> anyhow::Result<()> {
    for (worker, cluster) in &servers.workers {
        let kinds = match worker {
            Worker::Pipeline => "namespaces,eventsources,sensors,externalsecrets",
            Worker::Deployment => "namespaces,appprojects,applications,externalsecrets",
        };
        let selector = "app.kubernetes.io/managed-by=terraform-provider-nautes";
        let listed = DetachedControlPlane::kubectl(
            &folders.kubeconfig(*worker),
            ["get", kinds, "-A", "-l", selector, "-o", "name"],
        )?;
        let indented = listed.stdout.lines().map(|line| format!("  {line}\n"));
        println!(
            "
The cluster {name}, which is a Kubernetes API without nodes at {url}, has of the provider, among others:

{objects}",
            name = worker.cluster(),
            url = cluster.url(),
            objects = indented.collect::<String>().trim_end(),
        );
    }
    Ok(())
}

/// Prints how to start a pipeline with a push to a repository, and how to see what is deployed.
#[expect(clippy::print_stdout, reason = "the report is the output of the task")]
fn show_push(folders: &Folders, name: &str, url: &str) {
    println!(
        "
The warnings above about certificates and private addresses are true, and of no account on loopback.

Push, and watch a run appear. Nothing executes it, because there are no nodes: in a real cluster, it would clone the
repository and start the pipeline in pipelines/build.yaml with the commit.
  . {env}
  git clone \"{source}\" {clone}
  cd {clone}
  date > pushed.txt
  git add pushed.txt
  git -c user.name=Me -c user.email=me@example.com commit -m \"Try the pipeline\"
  git push
  {kubectl} {pipeline} get pipelineruns -A --watch

See what is deployed:
  {kubectl} {deployment} get applications,appprojects -n argocd",
        clone = folders.root().join(name).display(),
        deployment = Worker::Deployment.cluster(),
        env = folders.shell_variables().display(),
        kubectl = folders.kubectl().display(),
        pipeline = Worker::Pipeline.cluster(),
        source = with_credentials(url),
    );
}

/// Adds the access token to the URL of a repository, as a variable of the shell.
fn with_credentials(repository: &str) -> String {
    repository.replacen("://", "://oauth2:$NAUTES_GITLAB_TOKEN@", 1)
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

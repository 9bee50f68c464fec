//! What a deployment runtime is in a worker, and how it gets there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kubernetes_apply::cluster::Detail;
use kubernetes_apply::object::Object;
use nautes_model::entity::{self, Entity};
use nautes_model::{EntityName, ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;
use terraform_plugin::waiting::waiting_for;
use tokio::time::{Instant, sleep};
use url::Url;

use super::model::DeploymentRuntimeModel;
use crate::client::Client;
use crate::diagnostics::Context as _;
use crate::lookup::Worker;
use crate::resources::runtime_environment;
use crate::runtime::deployment::{Application, Assessment, Goal, Watch};
use crate::runtime::names;
use crate::runtime::reconcile::Reconciler;
use crate::runtime::registry::{Contribution, RuntimeKind};
use crate::runtime::shared::readonly_policy;

/// How long an Application may take to reach what an apply waits for.
const GOAL_TIMEOUT: Duration = Duration::from_secs(600);

/// How long Argo CD may take to look at a change.
const OBSERVED_TIMEOUT: Duration = Duration::from_secs(120);

/// How often the Application is looked at.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// A deployment runtime with what it needs to know of GitLab and its worker.
pub(super) struct Deployment {
    pub(super) reconciler: Reconciler,
    product: ProductId,
    name: EntityName,
    source: RepositoryId,
    repository: RepositoryUrls,
    namespaces: Vec<String>,
}

/// Where a repository is.
pub(super) struct RepositoryUrls {
    /// By which Argo CD clones it.
    ssh: String,
    /// By which GitLab names it in what hooks report.
    web: String,
}

/// What a wait ended with.
pub(super) enum Waited {
    Reached,
    NotReached { summary: String, detail: String },
}

impl Deployment {
    /// Connects to the worker and looks up what the runtime needs.
    pub(super) async fn new(
        client: &Arc<Client>,
        worker: Arc<Worker>,
        entity: &entity::DeploymentRuntime,
        namespaces: Vec<String>,
    ) -> Result<Self, Diagnostics> {
        let (product, name) = (entity.product, entity.name.clone());
        require_deployment_worker(&worker)?;
        let source = entity.manifest_source.code_repo;
        let repository = find_urls(client, product, source).await?;
        let repository = repository.ok_or_else(|| no_repository(product, source))?;
        let kind = RuntimeKind::Deployment;
        Ok(Self {
            reconciler: Reconciler::new(client, worker, product, kind, &name).await?,
            product,
            name,
            source,
            repository,
            namespaces,
        })
    }

    /// What the runtime contributes to what the runtimes of its product share.
    pub(super) fn contribution(&self, model: &DeploymentRuntimeModel) -> Contribution {
        let application = names::application(self.product, self.name.as_str());
        Contribution {
            spaces: self.namespaces.iter().cloned().collect(),
            account: Some(model.account().to_owned()),
            vault: BTreeSet::from([readonly_policy(self.source)]),
            repos: BTreeMap::from([(self.source, self.repository.ssh.clone())]),
            apps: BTreeSet::from([application]),
            push: model.push_hook.then_some(self.source).into_iter().collect(),
        }
    }

    /// Returns the Application.
    pub(super) fn application(
        &self,
        model: &DeploymentRuntimeModel,
    ) -> Result<Object, Diagnostics> {
        let namespace = self.namespaces.first().map(String::as_str);
        let application = Application {
            product: self.product,
            runtime: self.name.as_str(),
            argo_cd: self.reconciler.worker().argo_cd(),
            url: &self.repository.ssh,
            target_revision: &model.manifest_source.target_revision,
            path: &model.manifest_source.path,
            namespace: namespace.unwrap_or_default(),
            sync: model.sync(),
            cascade: model.cascade,
        };
        application.object().context("make the Application")
    }

    /// Warns of a hook that Argo CD answers and does nothing about: it looks for Applications by the host of GitLab's web
    /// page, with or without `ssh.` or `altssh.` in front.
    pub(super) fn push_hook_warning(
        &self,
        model: &DeploymentRuntimeModel,
    ) -> Option<(String, String)> {
        if !model.push_hook || !self.reconciler.has_push_hooks() {
            return None;
        }
        let (ssh, web) = (
            ssh_host(&self.repository.ssh)?,
            Url::parse(&self.repository.web).ok()?,
        );
        let web = web.host_str()?;
        let is_known = ["", "ssh.", "altssh."]
            .iter()
            .any(|prefix| ssh == format!("{prefix}{web}"));
        if is_known {
            return None;
        }
        let detail = format!(
            "The repository is cloned from {ssh}, and GitLab reports pushes by the address of its web page, {web}. Argo CD compares the two, so the hook of {} has no effect, and pushes are noticed after two to three minutes. Give GitLab the same host for both, or set push_hook = false.",
            self.source
        );
        Some(("Argo CD will not notice pushes at once".to_owned(), detail))
    }

    /// Checks what may be refused, before the first effect.
    pub(super) async fn check(&self, model: &DeploymentRuntimeModel) -> Result<(), Diagnostics> {
        let checked = self.reconciler.check(&self.contribution(model)).await;
        checked.map_err(|found| found.at(&Path::to("destination").attribute("namespaces")))
    }

    /// Makes the objects in the worker and in Vault, and waits for what the user asked for. What the runtime had before
    /// goes when it works without it.
    pub(super) async fn reconcile(
        &self,
        model: &DeploymentRuntimeModel,
    ) -> Result<Waited, Diagnostics> {
        self.reconciler
            .contribute(&self.contribution(model))
            .await?;
        let applied = self.reconciler.apply(self.application(model)?).await?;
        let entry = self.reconciler.entry().await?;
        let replaces = entry.is_some_and(|entry| !entry.is_settled());
        let goal = match model.goal() {
            Some(goal) => Some((goal, GOAL_TIMEOUT)),
            None => replaces.then_some((Goal::Observed, OBSERVED_TIMEOUT)),
        };
        if let Some((goal, timeout)) = goal {
            let waited = self.wait(Watch::new(goal, &applied), timeout).await?;
            if replaces && matches!(waited, Waited::NotReached { .. }) {
                return Ok(waited);
            }
            self.reconciler.settle().await?;
            return Ok(waited);
        }
        self.reconciler.settle().await?;
        Ok(Waited::Reached)
    }

    async fn wait(&self, mut watch: Watch, timeout: Duration) -> Result<Waited, Diagnostics> {
        let worker = self.reconciler.worker();
        let application =
            Application::reference(self.product, self.name.as_str(), worker.argo_cd());
        let attempt = format!("wait for the {application} in the cluster {}", worker.name);
        let progress = Arc::new(Mutex::new("Argo CD".to_owned()));
        let (seen, text) = (Arc::clone(&progress), application.to_string());
        let _waiting = waiting_for(move || {
            let progress = seen.lock().unwrap_or_else(PoisonError::into_inner);
            format!("the {text}: {progress}")
        });
        let deadline = Instant::now() + timeout;
        loop {
            let namespace = application.namespace.as_deref();
            let found = worker
                .cluster
                .find(
                    &Application::kind(),
                    namespace,
                    &application.name,
                    Detail::Full,
                )
                .await
                .context(&attempt)?;
            let assessment = found.as_ref().map(|found| watch.assess(found));
            let not_reached = |reason: &str, end: &str| Waited::NotReached {
                summary: format!("The runtime {} does not work yet", self.name),
                detail: format!(
                    "The {application} in the cluster {} {end}: {reason}\n\nIts objects are made and kept. Mend the cause; Argo CD goes on by itself, and the next apply waits again.",
                    worker.name
                ),
            };
            let reason = match assessment {
                Some(Assessment::Reached) => return Ok(Waited::Reached),
                Some(Assessment::Failed(reason)) => {
                    return Ok(not_reached(&reason, "has failed"));
                }
                Some(Assessment::Waiting(reason)) => reason,
                None => "it is gone".to_owned(),
            };
            if Instant::now() >= deadline {
                let end = format!("is not ready after {} s", timeout.as_secs());
                return Ok(not_reached(&reason, &end));
            }
            *progress.lock().unwrap_or_else(PoisonError::into_inner) = reason;
            sleep(POLL_INTERVAL).await;
        }
    }
}

impl Waited {
    /// Turns what was not reached into an error.
    pub(super) fn require_reached(self) -> Result<(), Diagnostics> {
        match self {
            Self::Reached => Ok(()),
            Self::NotReached { summary, detail } => Err(Diagnostic::error(summary, detail).into()),
        }
    }
}

/// Returns the repository of the manifests, as a manifest has it.
pub(super) fn source_of(entity: &Entity) -> Option<RepositoryId> {
    match entity {
        Entity::DeploymentRuntime(runtime) => Some(runtime.manifest_source.code_repo),
        _ => None,
    }
}

fn require_deployment_worker(worker: &Worker) -> Result<(), Diagnostics> {
    let kind = worker.facts.worker_type.as_deref();
    if kind == Some("deployment") {
        return Ok(());
    }
    let detail = format!(
        "The cluster {} is {}, and deployment runtimes need a nautes_cluster with usage = \"worker\" and worker_type = \"deployment\". Name an environment in such a cluster.",
        worker.name,
        match kind {
            Some(kind) => format!("a worker of the type {kind:?}"),
            None => "no worker".to_owned(),
        }
    );
    let error = Diagnostic::error("The cluster is not one for deployments", detail);
    Err(error.at(&runtime_environment::path()).into())
}

/// Returns where a repository is; `None` if GitLab has no such project in the product's group.
pub(super) async fn find_urls(
    client: &Client,
    product: ProductId,
    repository: RepositoryId,
) -> Result<Option<RepositoryUrls>, Diagnostics> {
    let project = client.code_repos()?.project(product, repository).await;
    let project = project.map_err(|found| found.at(&source_path()))?;
    let project = project.filter(|project| !project.is_marked_for_deletion());
    Ok(project.map(|project| RepositoryUrls {
        ssh: project.ssh_url_to_repo,
        web: project.web_url,
    }))
}

fn no_repository(product: ProductId, repository: RepositoryId) -> Diagnostics {
    let detail = format!(
        "GitLab has no project of {repository} in the group of {product}. Name a nautes_code_repo of the same product."
    );
    let error = Diagnostic::error("The code repository does not exist", detail);
    error.at(&source_path()).into()
}

fn source_path() -> Path {
    Path::to("manifest_source").attribute("code_repo")
}

/// Returns the host in a URL such as `ssh://git@host:22/a.git` or `git@host:a.git`.
fn ssh_host(url: &str) -> Option<&str> {
    let address = url.strip_prefix("ssh://").unwrap_or(url);
    let address = address.split_once('@').map_or(address, |(_, rest)| rest);
    address
        .split([':', '/'])
        .next()
        .filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_found_in_both_forms_of_ssh_urls() {
        for url in [
            "ssh://git@gitlab.example.com:2222/demo/shop.git",
            "ssh://git@gitlab.example.com/demo/shop.git",
            "git@gitlab.example.com:demo/shop.git",
        ] {
            assert_eq!(ssh_host(url), Some("gitlab.example.com"));
        }
        assert_eq!(ssh_host(""), None);
    }
}

//! What a pipeline runtime is in a worker, and how it gets there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use kubernetes_apply::cluster::Detail;
use kubernetes_apply::object::{GroupKind, Kind, Object, ObjectRef};
use kubernetes_apply::ownership::FieldManager;
use kubernetes_apply::readiness::{Rules, require_conditions};
use nautes_model::RepositoryId;
use nautes_model::entity::{Hook, Permissions, PipelineRuntime};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Value, json};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;
use terraform_plugin::waiting::waiting_for;
use url::Url;

use super::hooks::{self, KnownHook, KnownHooks, WantedHook};
use super::model::{CredentialModel, HistoryModel, HookModel, PipelineRuntimeModel};
use super::references::Meanings;
use crate::backends::gitlab::HookSettings;
use crate::client::Client;
use crate::clusters::PRODUCT_LABEL;
use crate::components::Component;
use crate::diagnostics::Context as _;
use crate::lookup::Worker;
use crate::runtime::deployment::{Application, Sync};
use crate::runtime::names;
use crate::runtime::pipeline::{
    CODE_REPOS, Credential, Credentials, GitLabServer, HistoryLimits, HookTask, PipelineInputs,
    RepositoryFacts, TOKEN_KEY, VaultKind, calendar_event_source, gitlab_event_source, hook_events,
    hook_token_secret, hook_url, ingress, sensor, sensor_access, token_hash,
};
use crate::runtime::reconcile::Reconciler;
use crate::runtime::registry::{Contribution, RuntimeKind};
use crate::secret::Secret;

/// How long External Secrets and Argo Events may take to make objects ready.
const READY_TIMEOUT: Duration = Duration::from_secs(300);

const SECRETS: &str = "external-secrets.io";
const ARGO: &str = "argoproj.io";

/// A pipeline runtime with what it needs to know of GitLab and its worker.
pub(super) struct Pipeline {
    client: Arc<Client>,
    pub(super) reconciler: Reconciler,
    pub(super) runtime: PipelineRuntime,
    repositories: BTreeMap<RepositoryId, RepositoryFacts>,
    gitlab: GitLabServer,
    credentials: Credentials,
    pre_hooks: Vec<HookTask>,
    post_hooks: Vec<HookTask>,
    history: HistoryLimits,
    report_status: bool,
    /// Whether GitLab verifies the certificate of the gateway, where the user says so.
    verifies: BTreeMap<RepositoryId, bool>,
}

impl Pipeline {
    /// Prepares a runtime, whose namespace is set, in a worker. What is not known of repositories is left out, so the
    /// names of its objects are right in any case.
    pub(super) async fn new(
        client: &Arc<Client>,
        worker: Arc<Worker>,
        model: &PipelineRuntimeModel,
        runtime: PipelineRuntime,
        meanings: &Meanings,
        repositories: BTreeMap<RepositoryId, RepositoryFacts>,
    ) -> Result<Self, Diagnostics> {
        let settings = &client.settings().gitlab;
        let url = settings.url.as_deref().unwrap_or_default();
        let url = url.trim_end_matches('/').trim_end_matches("/api/v4");
        let gitlab = GitLabServer {
            url: url.to_owned(),
            ca_pem: settings.ca_pem.clone(),
        };
        let known_hosts = settings.ssh_known_hosts.clone().unwrap_or_default();
        let mut entries = BTreeMap::new();
        for (name, credential) in model.credentials.iter().flatten() {
            let found = credential_of(credential, meanings, &repositories)?;
            entries.insert(name.clone(), found);
        }
        let mut verifies = BTreeMap::new();
        for source in model.event_sources.values() {
            if let Some(gitlab) = &source.gitlab
                && let Some(verification) = gitlab.enable_ssl_verification
            {
                verifies.insert(meanings.get(&gitlab.code_repo)?, verification);
            }
        }
        let tasks = model.hooks.as_ref();
        let pre = tasks.and_then(|hooks| hooks.pre.as_ref());
        let post = tasks.and_then(|hooks| hooks.post.as_ref());
        let (kind, name) = (RuntimeKind::Pipeline, runtime.name.clone());
        Ok(Self {
            client: Arc::clone(client),
            reconciler: Reconciler::new(client, worker, runtime.product, kind, &name).await?,
            pre_hooks: hook_tasks("pre", &runtime.hooks.pre, pre)?,
            post_hooks: hook_tasks("post", &runtime.hooks.post, post)?,
            runtime,
            repositories,
            gitlab,
            credentials: Credentials {
                known_hosts,
                entries,
            },
            history: history(model.history.as_ref())?,
            report_status: model.report_status,
            verifies,
        })
    }

    /// What the objects are made from.
    pub(super) fn inputs(&self) -> PipelineInputs<'_> {
        PipelineInputs {
            runtime: &self.runtime,
            components: &self.reconciler.worker().facts.components,
            gitlab: &self.gitlab,
            repositories: &self.repositories,
            pre_hooks: &self.pre_hooks,
            post_hooks: &self.post_hooks,
            history: self.history,
            report_status: self.report_status,
        }
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// What the runtime contributes to what the runtimes of its product share.
    pub(super) fn contribution(&self) -> Contribution {
        let additional = self.additional_repository();
        let application = names::application(self.runtime.product, &self.additional_name());
        Contribution {
            spaces: BTreeSet::from([self.runtime.effective_namespace().to_owned()]),
            account: Some(self.runtime.effective_account().to_owned()),
            vault: self.credentials.policies(&self.inputs()),
            apps: additional.iter().map(|_| application.clone()).collect(),
            repos: additional.into_iter().collect(),
            push: BTreeSet::new(),
        }
    }

    /// The repository with the additional resources, and its URL for Argo CD.
    fn additional_repository(&self) -> Option<(RepositoryId, String)> {
        let repository = self.runtime.additional_resources.as_ref()?.code_repo?;
        let found = self.repositories.get(&repository);
        let url = found.map(|found| found.ssh_url.clone());
        Some((repository, url.unwrap_or_default()))
    }

    fn additional_name(&self) -> String {
        format!("{}-additional", self.runtime.name)
    }

    /// Returns the Application with the additional resources.
    fn additional_application(&self) -> Result<Option<Object>, Diagnostics> {
        let (Some((_, url)), Some(resources)) = (
            self.additional_repository(),
            &self.runtime.additional_resources,
        ) else {
            return Ok(None);
        };
        let application = Application {
            product: self.runtime.product,
            runtime: &self.additional_name(),
            argo_cd: self.reconciler.worker().argo_cd(),
            url: &url,
            target_revision: &resources.revision,
            path: &resources.path,
            namespace: self.runtime.effective_namespace(),
            sync: Sync {
                automated: true,
                prune: true,
                self_heal: true,
                retry: 2,
                options: BTreeSet::new(),
                ignore_differences: Vec::new(),
            },
            cascade: true,
        };
        application
            .object()
            .context("make the Application")
            .map(Some)
    }

    /// The address that webhooks of the cluster call.
    fn webhook_base_url(&self) -> &str {
        let components = &self.reconciler.worker().facts.components;
        components.webhook_base_url.as_deref().unwrap_or_default()
    }

    /// The host that webhooks of the cluster call; empty if there is none.
    pub(super) fn webhook_host(&self) -> String {
        let url = Url::parse(self.webhook_base_url()).ok();
        let host = url.as_ref().and_then(Url::host_str);
        host.unwrap_or_default().to_owned()
    }

    /// Whether GitLab verifies the certificate for the hook of a repository.
    pub(super) fn verifies(&self, repository: RepositoryId) -> bool {
        let components = &self.reconciler.worker().facts.components;
        let derived = components.webhook_tls_verifiable == Some(true);
        self.verifies.get(&repository).copied().unwrap_or(derived)
    }

    /// What the hook of a repository is to be.
    pub(super) fn hook_settings(&self, repository: RepositoryId) -> HookSettings {
        let events = hook_events(&self.runtime, repository).into_iter();
        HookSettings {
            url: hook_url(&self.inputs().names(), self.webhook_base_url(), repository),
            events: events.map(str::to_owned).collect(),
            enable_ssl_verification: self.verifies(repository),
        }
    }

    /// Returns the objects that belong to the runtime alone, other than the Secrets with tokens, in the order in which
    /// they are made: what triggers runs comes last.
    pub(super) fn objects(
        &self,
        tokens: &BTreeMap<RepositoryId, Secret>,
    ) -> Result<Vec<Object>, Diagnostics> {
        let attempt = "make the objects of the runtime";
        let inputs = self.inputs();
        let hashes = tokens.iter().map(|(id, token)| (*id, token_hash(token)));
        let hashes: BTreeMap<RepositoryId, String> = hashes.collect();
        let vault = self.reconciler.vault_access();
        let base_url = self.webhook_base_url();
        let mut objects = self.credentials.objects(&inputs, vault).context(attempt)?;
        objects.extend(sensor_access(&inputs).context(attempt)?);
        objects.extend(gitlab_event_source(&inputs, base_url, &hashes).context(attempt)?);
        objects.extend(calendar_event_source(&inputs).context(attempt)?);
        objects.extend(ingress(&inputs, &self.webhook_host()).context(attempt)?);
        objects.push(sensor(&inputs).context(attempt)?);
        objects.extend(self.additional_application()?);
        Ok(objects)
    }

    /// Reads the tokens of hooks that the worker has.
    pub(super) async fn tokens(&self) -> Result<BTreeMap<RepositoryId, Secret>, Diagnostics> {
        let mut tokens = BTreeMap::new();
        let names = self.inputs().names();
        for repository in self.inputs().event_repositories() {
            let name = names.hook_token(repository);
            let cluster = &self.reconciler.worker().cluster;
            let namespace = Component::ArgoEvents.namespace();
            let kind = Kind::new("v1", "Secret");
            let found = cluster
                .find(&kind, Some(namespace), &name, Detail::Full)
                .await;
            let found = found.with_context(|| format!("read the Secret {namespace}/{name}"))?;
            let token = found.as_ref().and_then(|found| {
                let data = found.text(&format!("/data/{TOKEN_KEY}"))?;
                String::from_utf8(STANDARD.decode(data).ok()?).ok()
            });
            if let Some(token) = token.filter(|token| !token.is_empty()) {
                tokens.insert(repository, Secret::from(token));
            }
        }
        Ok(tokens)
    }

    /// Makes everything in the worker, in Vault and in GitLab. Returns the hooks, and a warning for each one that could
    /// not be tried.
    pub(super) async fn reconcile(
        &self,
        known: &KnownHooks,
        old: Option<&Self>,
    ) -> Result<(KnownHooks, Vec<(String, String)>), Diagnostics> {
        let recorded = self.recorded_repositories().await?;
        self.write_policies().await?;
        self.reconciler.contribute(&self.contribution()).await?;
        let tokens = self.ensure_tokens().await?;
        let objects = self.objects(&tokens)?;
        self.link_credentials(old).await?;
        for object in &objects {
            self.reconciler.apply(object.clone()).await?;
            let reference = object.reference();
            // What comes later uses what came before.
            if ["ExternalSecret", "EventSource", "Sensor"].contains(&reference.kind.kind.as_str()) {
                self.wait_until_ready(object).await?;
            }
        }
        let mut hooks = KnownHooks::default();
        let mut warnings = Vec::new();
        for (repository, token) in tokens {
            let wanted = WantedHook {
                repository,
                settings: self.hook_settings(repository),
                token,
            };
            warnings.extend(hooks::wait_until_it_serves(&self.client, &wanted).await?);
            let made = hooks::ensure(&self.client, &wanted, known.0.get(&repository)).await?;
            hooks.0.insert(repository, made);
        }
        if let Some(old) = old {
            old.remove_except(&objects).await?;
        }
        self.remove_listeners(&objects).await?;
        let kept: BTreeSet<RepositoryId> = self.inputs().event_repositories().into_iter().collect();
        let mut listened = recorded;
        listened.extend(
            old.into_iter()
                .flat_map(|old| old.inputs().event_repositories()),
        );
        let gone: Vec<RepositoryId> = listened.difference(&kept).copied().collect();
        self.delete_hooks(&gone, known).await?;
        self.delete_tokens(&gone).await?;
        self.reconciler.settle().await?;
        if let Some(old) = old {
            let kept = self.credentials.vault_policies(&self.inputs());
            old.delete_policies(|name| !kept.contains_key(name)).await?;
        }
        Ok((hooks, warnings))
    }

    /// Removes what the runtime had and does not have any more, after it works without it.
    async fn remove_except(&self, objects: &[Object]) -> Result<(), Diagnostics> {
        let references: BTreeSet<&ObjectRef> = objects.iter().map(Object::reference).collect();
        for object in self.objects(&BTreeMap::new())?.iter().rev() {
            if !references.contains(object.reference()) {
                self.reconciler
                    .delete(&object.kind(), object.reference())
                    .await?;
            }
        }
        Ok(())
    }

    /// Removes what listens to events and is not among these objects. An interrupted creation may have left it.
    async fn remove_listeners(&self, objects: &[Object]) -> Result<(), Diagnostics> {
        let names = self.inputs().names();
        let namespace = Component::ArgoEvents.namespace();
        let ingresses = Kind::new("networking.k8s.io/v1", "Ingress");
        let sources = Kind::new("argoproj.io/v1alpha1", "EventSource");
        let possible = [
            (&ingresses, "networking.k8s.io", names.gitlab()),
            (&sources, ARGO, names.gitlab()),
            (&sources, ARGO, names.calendar()),
        ];
        for (kind, group, name) in possible {
            let kind_name = if group == ARGO {
                "EventSource"
            } else {
                "Ingress"
            };
            let reference = ObjectRef::namespaced(group, kind_name, namespace, &name);
            if !objects
                .iter()
                .any(|object| *object.reference() == reference)
            {
                self.reconciler.delete(kind, &reference).await?;
            }
        }
        Ok(())
    }

    /// Returns the repositories to which the worker listens for the runtime so far.
    async fn recorded_repositories(&self) -> Result<BTreeSet<RepositoryId>, Diagnostics> {
        let kind = Kind::new("argoproj.io/v1alpha1", "EventSource");
        let (namespace, name) = (
            Component::ArgoEvents.namespace(),
            self.inputs().names().gitlab(),
        );
        let cluster = &self.reconciler.worker().cluster;
        let found = cluster
            .find(&kind, Some(namespace), &name, Detail::Metadata)
            .await;
        let found = found.with_context(|| format!("read the EventSource {namespace}/{name}"))?;
        let recorded = found
            .as_ref()
            .and_then(|found| found.annotation(CODE_REPOS));
        let recorded = recorded.into_iter().flat_map(|text| text.split(','));
        Ok(recorded.filter_map(|text| text.parse().ok()).collect())
    }

    /// Removes everything in GitLab, in the worker and in Vault, what triggers runs first.
    pub(super) async fn remove(&self, known: &KnownHooks) -> Result<(), Diagnostics> {
        let mut repositories = self.recorded_repositories().await?;
        repositories.extend(self.inputs().event_repositories());
        let repositories: Vec<RepositoryId> = repositories.into_iter().collect();
        self.delete_hooks(&repositories, known).await?;
        let objects = self.objects(&BTreeMap::new())?;
        let order = |object: &&Object| match object.reference().kind.kind.as_str() {
            "Sensor" => 0,
            "Ingress" => 1,
            "EventSource" => 2,
            _ => 3,
        };
        let mut ordered: Vec<&Object> = objects.iter().rev().collect();
        ordered.sort_by_key(order);
        for object in ordered {
            self.reconciler
                .delete(&object.kind(), object.reference())
                .await?;
        }
        self.remove_listeners(&[]).await?;
        self.delete_tokens(&repositories).await?;
        self.reconciler.remove(&self.contribution()).await?;
        self.delete_policies(|_| true).await
    }

    async fn delete_hooks(
        &self,
        repositories: &[RepositoryId],
        known: &KnownHooks,
    ) -> Result<(), Diagnostics> {
        for repository in repositories {
            let product = self.runtime.product;
            let project = self
                .client
                .code_repos()?
                .project(product, *repository)
                .await?;
            // The hooks of a project go with it.
            if project.is_none() {
                continue;
            }
            let url = self.hook_settings(*repository).url;
            let known = known.0.get(repository);
            let (found, surplus) = hooks::find(&self.client, *repository, known, &[&url]).await?;
            for hook in found.into_iter().chain(surplus) {
                hooks::delete(&self.client, *repository, hook.id).await?;
            }
        }
        Ok(())
    }

    async fn delete_tokens(&self, repositories: &[RepositoryId]) -> Result<(), Diagnostics> {
        for repository in repositories {
            let name = self.inputs().names().hook_token(*repository);
            let namespace = Component::ArgoEvents.namespace();
            let reference = ObjectRef::namespaced("", "Secret", namespace, &name);
            let kind = Kind::new("v1", "Secret");
            self.reconciler.delete(&kind, &reference).await?;
        }
        Ok(())
    }

    /// Writes the policies of the entries with values in Vault.
    async fn write_policies(&self) -> Result<(), Diagnostics> {
        let vault = self.client.vault()?;
        for (name, text) in self.credentials.vault_policies(&self.inputs()) {
            let found = vault.policy(&name).await;
            let found = found.with_context(|| format!("read the policy {name}"))?;
            if found.as_ref() != Some(&text) {
                let written = vault.write_policy(&name, &text).await;
                written.with_context(|| format!("write the policy {name}"))?;
            }
        }
        Ok(())
    }

    async fn delete_policies(&self, goes: impl Fn(&str) -> bool) -> Result<(), Diagnostics> {
        let vault = self.client.vault()?;
        for name in self.credentials.vault_policies(&self.inputs()).into_keys() {
            if goes(&name) {
                let deleted = vault.delete_policy(&name).await;
                deleted.with_context(|| format!("delete the policy {name}"))?;
            }
        }
        Ok(())
    }

    /// Returns the tokens of hooks; a missing one is made.
    async fn ensure_tokens(&self) -> Result<BTreeMap<RepositoryId, Secret>, Diagnostics> {
        let mut tokens = self.tokens().await?;
        for repository in self.inputs().event_repositories() {
            let token = match tokens.get(&repository) {
                Some(token) => token.clone(),
                None => new_token()?,
            };
            let attempt = format!("make the token of the hook of {repository}");
            let object = hook_token_secret(&self.inputs(), repository, &token);
            self.reconciler.apply(object.context(attempt)?).await?;
            tokens.insert(repository, token);
        }
        Ok(tokens)
    }

    /// Links the Secrets to the service account, in the two lists that Tekton and Kubernetes read.
    async fn link_credentials(&self, old: Option<&Self>) -> Result<(), Diagnostics> {
        let attempt = "link the credentials to the service account";
        let inputs = self.inputs();
        let cluster = &self.reconciler.worker().cluster;
        let manager = FieldManager::new("tf-nautes/credentials").context(attempt)?;
        let account = self.credentials.account_links(&inputs).context(attempt)?;
        cluster
            .apply_fields(&account, &manager)
            .await
            .context(attempt)?;
        let wanted = self.credentials.image_pull_secrets(&inputs);
        let before = old.map(|old| old.credentials.image_pull_secrets(&old.inputs()));
        let ours: BTreeSet<String> = wanted
            .iter()
            .cloned()
            .chain(before.into_iter().flatten())
            .collect();
        if ours.is_empty() {
            return Ok(());
        }
        let change = |account: &mut Value| {
            let Some(account) = account.as_object_mut() else {
                return;
            };
            let listed = account.get("imagePullSecrets").and_then(Value::as_array);
            let name = |entry: &Value| entry.get("name")?.as_str().map(str::to_owned);
            let others = listed.into_iter().flatten();
            let others =
                others.filter(|entry| !name(entry).is_some_and(|name| ours.contains(&name)));
            let mut all: Vec<Value> = others.cloned().collect();
            all.extend(wanted.iter().map(|name| json!({ "name": name })));
            account.insert("imagePullSecrets".to_owned(), all.into());
        };
        let reference = account.reference();
        let namespace = reference.namespace.as_deref();
        let kind = account.kind();
        let changed = cluster.modify(&kind, namespace, &reference.name, &manager, change);
        changed.await.context(attempt).map(drop)
    }

    async fn wait_until_ready(&self, object: &Object) -> Result<(), Diagnostics> {
        let rules = Rules::default()
            .with(
                GroupKind::new(SECRETS, "ExternalSecret"),
                require_conditions(&["Ready"]),
            )
            .with(
                GroupKind::new(ARGO, "EventSource"),
                require_conditions(&["SourcesProvided", "Deployed"]),
            )
            .with(
                GroupKind::new(ARGO, "Sensor"),
                require_conditions(&["DependenciesProvided", "TriggersProvided", "Deployed"]),
            );
        let worker = self.reconciler.worker();
        let reference = object.reference().clone();
        let (text, name) = (reference.to_string(), worker.name.clone());
        let _waiting = waiting_for(move || format!("the {text} in the cluster {name}"));
        let selector = format!("{PRODUCT_LABEL}={}", self.runtime.product);
        let objects = [(object.kind(), reference.clone())];
        let cluster = &worker.cluster;
        let ready = cluster
            .wait_until_ready(&objects, &selector, &rules, READY_TIMEOUT)
            .await;
        ready.with_context(|| format!("make the {reference} in the cluster {}", worker.name))
    }

    /// Describes what differs in the worker, in Vault and in GitLab. Returns the hooks that are there, too.
    pub(super) async fn drift(
        &self,
        known: &KnownHooks,
    ) -> Result<(Vec<String>, BTreeMap<RepositoryId, u64>), Diagnostics> {
        let tokens = self.tokens().await?;
        let objects = self.objects(&tokens)?;
        let mut drift = self.reconciler.drift(&self.contribution(), objects).await?;
        let mut found_hooks = BTreeMap::new();
        for repository in self.inputs().event_repositories() {
            if !self.repositories.contains_key(&repository) {
                drift.push(format!("the code repository {repository} is gone"));
                continue;
            }
            let known = known.0.get(&repository);
            match tokens.get(&repository) {
                None => drift.push(format!(
                    "the Secret with the token of the hook of {repository} is gone"
                )),
                Some(token) if known.is_some_and(|known| known.token != token_hash(token)) => {
                    drift.push(format!("the hook of {repository} may have another token"));
                }
                Some(_) => {}
            }
            let settings = self.hook_settings(repository);
            let (id, found) = hooks::drift(&self.client, repository, &settings, known).await?;
            drift.extend(found);
            found_hooks.extend(id.map(|id| (repository, id)));
        }
        let vault = self.client.vault()?;
        for (name, text) in self.credentials.vault_policies(&self.inputs()) {
            let found = vault.policy(&name).await;
            let found = found.with_context(|| format!("read the policy {name}"))?;
            if found.as_ref() != Some(&text) {
                drift.push(format!("the policy {name} in Vault has changed"));
            }
        }
        Ok((drift, found_hooks))
    }

    /// Returns the hooks that GitLab has, and whether it calls them.
    pub(super) async fn hook_states(
        &self,
    ) -> Result<BTreeMap<RepositoryId, (u64, String)>, Diagnostics> {
        let mut states = BTreeMap::new();
        for repository in self.inputs().event_repositories() {
            if !self.repositories.contains_key(&repository) {
                continue;
            }
            let url = self.hook_settings(repository).url;
            let (found, _) = hooks::find(&self.client, repository, None, &[&url]).await?;
            if let Some(hook) = found {
                let state = hook.disabled().unwrap_or_else(|| "executable".to_owned());
                states.insert(repository, (hook.id, state));
            }
        }
        Ok(states)
    }

    /// Returns the hooks with their addresses.
    pub(super) fn webhooks(
        &self,
        hooks: impl IntoIterator<Item = (RepositoryId, u64)>,
    ) -> BTreeMap<RepositoryId, super::model::WebhookModel> {
        let hooks = hooks.into_iter();
        hooks
            .map(|(repository, id)| {
                let url = self.hook_settings(repository).url;
                (repository, hooks::webhook(id, &url))
            })
            .collect()
    }
}

/// Returns the ids of hooks by repository.
pub(super) fn ids(hooks: &KnownHooks) -> impl Iterator<Item = (RepositoryId, u64)> + '_ {
    let hooks = hooks.0.iter();
    hooks.map(|(repository, KnownHook { id, .. })| (*repository, *id))
}

fn new_token() -> Result<Secret, Diagnostics> {
    let mut bytes = [0; 32];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| {
        let detail = "The operating system gives no random numbers.";
        Diagnostics::from(Diagnostic::error("Cannot make a token", detail))
    })?;
    Ok(Secret::from(URL_SAFE_NO_PAD.encode(bytes)))
}

fn credential_of(
    credential: &CredentialModel,
    meanings: &Meanings,
    repositories: &BTreeMap<RepositoryId, RepositoryFacts>,
) -> Result<Credential, Diagnostics> {
    if let Some(vault) = &credential.vault {
        return Ok(Credential::Vault {
            mount: vault.mount.trim_matches('/').to_owned(),
            path: vault.path.trim_matches('/').to_owned(),
            key: vault.key.clone(),
            kind: match credential.r#type.as_deref() {
                Some("dockerconfigjson") => VaultKind::DockerConfig,
                _ => VaultKind::Opaque,
            },
        });
    }
    let id = meanings.get(credential.code_repo.as_deref().unwrap_or_default())?;
    let found = repositories.get(&id);
    Ok(Credential::DeployKey {
        ssh_url: found.map(|found| found.ssh_url.clone()).unwrap_or_default(),
        permissions: match credential.permission.as_deref() {
            Some("readwrite") => Permissions::ReadWrite,
            _ => Permissions::ReadOnly,
        },
    })
}

fn hook_tasks(
    side: &str,
    hooks: &[Hook],
    models: Option<&Vec<HookModel>>,
) -> Result<Vec<HookTask>, Diagnostics> {
    let models = models.into_iter().flatten();
    let hooks = hooks.iter().zip(models).enumerate();
    hooks
        .map(|(index, (hook, model))| {
            let path = Path::to("hooks")
                .attribute(side)
                .index(index)
                .attribute("task");
            let text = model.task.as_deref().unwrap_or_default();
            let spec = nautes_model::yaml::read(text).ok().filter(Value::is_object);
            let spec = spec.ok_or_else(|| {
                let detail = "It is not a task in YAML, as in Tekton's taskSpec. A task has steps.";
                let error = Diagnostic::error("Invalid value for task", detail);
                Diagnostics::from(error.at(&path))
            })?;
            Ok(HookTask {
                name: hook.effective_alias().to_owned(),
                params: hook.vars.clone(),
                spec,
            })
        })
        .collect()
}

fn history(model: Option<&HistoryModel>) -> Result<HistoryLimits, Diagnostics> {
    let runs = model.map_or(HistoryModel::RUNS, |model| model.runs);
    let max_age = model.map_or(HistoryModel::MAX_AGE, |model| &model.max_age);
    let max_age = humantime::parse_duration(max_age).map_err(|error| {
        let detail = format!("{max_age:?} is not a duration such as 168h: {error}.");
        let error = Diagnostic::error("Invalid value for history.max_age", detail);
        Diagnostics::from(error.at(&Path::to("history").attribute("max_age")))
    })?;
    Ok(HistoryLimits {
        runs: u32::try_from(runs).unwrap_or(u32::MAX),
        max_age,
    })
}

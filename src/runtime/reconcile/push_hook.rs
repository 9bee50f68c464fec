//! Hooks of repositories to Argo CD, which otherwise notices a push after minutes. There is one for each repository and
//! cluster, known by its address.

use std::collections::BTreeSet;

use nautes_model::RepositoryId;
use nautes_model::vault::{ClusterSecret, SecretPath, TOKEN};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::Reconciler;
use crate::backends::gitlab::{Hook, HookSettings};
use crate::diagnostics::{Context as _, hook_error};
use crate::secret::Secret;

/// The events of which Argo CD is told.
const EVENTS: [&str; 2] = ["push_events", "tag_push_events"];

impl Reconciler {
    /// Whether Argo CD can be told of pushes: it has an address.
    pub(crate) fn has_push_hooks(&self) -> bool {
        self.worker.facts.components.argocd_url.is_some()
    }

    /// What the hook of a repository is; `None` if Argo CD has no address.
    fn hook_settings(&self) -> Option<HookSettings> {
        let components = &self.worker.facts.components;
        let url = components.argocd_url.as_deref()?;
        let verifies = components.webhook_tls_verifiable.unwrap_or(true);
        Some(HookSettings {
            url: format!("{}/api/webhook", url.trim_end_matches('/')),
            events: EVENTS.map(str::to_owned).into(),
            enable_ssl_verification: url.starts_with("https:") && verifies,
        })
    }

    /// Makes the hooks that are missing, changes those that differ, and makes those anew that GitLab has disabled.
    pub(super) async fn ensure_hooks(
        &self,
        repositories: &BTreeSet<RepositoryId>,
    ) -> Result<(), Diagnostics> {
        let Some(settings) = self.hook_settings() else {
            return Ok(());
        };
        let gitlab = self.client.gitlab()?;
        for repository in repositories {
            let project = repository.number();
            let mut hooks = self.hooks(*repository, &settings).await?.into_iter();
            let kept = hooks.next();
            let is_right =
                |hook: &Hook| hook.disabled().is_none() && hook.differences(&settings).is_empty();
            for surplus in hooks {
                self.delete_hook(*repository, surplus.id).await?;
            }
            let token = match &kept {
                Some(hook) if is_right(hook) => continue,
                _ => self.hook_token().await?,
            };
            let made = match kept {
                Some(hook) if hook.disabled().is_none() => {
                    gitlab
                        .update_hook(project, hook.id, &settings, &token)
                        .await
                }
                Some(hook) => {
                    // No attribute enables it again.
                    self.delete_hook(*repository, hook.id).await?;
                    gitlab.create_hook(project, &settings, &token).await
                }
                None => gitlab.create_hook(project, &settings, &token).await,
            };
            let attempt = format!("make the hook of {repository} to Argo CD");
            made.map_err(|error| hook_error(&attempt, &settings.url, &error))?;
        }
        Ok(())
    }

    /// Deletes the hooks of repositories that nobody needs any more.
    pub(super) async fn delete_hooks(
        &self,
        repositories: &BTreeSet<RepositoryId>,
    ) -> Result<(), Diagnostics> {
        let Some(settings) = self.hook_settings() else {
            return Ok(());
        };
        for repository in repositories {
            for hook in self.hooks(*repository, &settings).await? {
                self.delete_hook(*repository, hook.id).await?;
            }
        }
        Ok(())
    }

    /// Describes what differs in the hooks of repositories.
    pub(super) async fn hook_drift(
        &self,
        repositories: &BTreeSet<RepositoryId>,
    ) -> Result<Vec<String>, Diagnostics> {
        let Some(settings) = self.hook_settings() else {
            return Ok(Vec::new());
        };
        let mut drift = Vec::new();
        for repository in repositories {
            let hooks = self.hooks(*repository, &settings).await?;
            let name = format!("the hook of {repository} to Argo CD");
            match hooks.first() {
                None => drift.push(format!("{name} is gone")),
                Some(hook) => {
                    if let Some(reason) = hook.disabled() {
                        drift.push(format!("{name} was disabled by GitLab: {reason}"));
                    }
                    let differences = hook.differences(&settings).into_iter();
                    drift.extend(differences.map(|field| format!("{name} has another {field}")));
                }
            }
            if hooks.len() > 1 {
                drift.push(format!("{name} exists more than once"));
            }
        }
        Ok(drift)
    }

    /// Returns the hooks of a repository with the address of Argo CD; none if the repository is gone.
    async fn hooks(
        &self,
        repository: RepositoryId,
        settings: &HookSettings,
    ) -> Result<Vec<Hook>, Diagnostics> {
        let hooks = match self.client.gitlab()?.hooks(repository.number()).await {
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            hooks => hooks.with_context(|| format!("list the hooks of {repository}"))?,
        };
        let ours = hooks.into_iter().filter(|hook| hook.url == settings.url);
        Ok(ours.collect())
    }

    async fn delete_hook(&self, repository: RepositoryId, id: u64) -> Result<(), Diagnostics> {
        let gitlab = self.client.gitlab()?;
        match gitlab.delete_hook(repository.number(), id).await {
            Err(error) if error.is_not_found() => Ok(()),
            deleted => deleted.with_context(|| format!("delete the hook {id} of {repository}")),
        }
    }

    /// Returns the token with which GitLab calls Argo CD.
    async fn hook_token(&self) -> Result<Secret, Diagnostics> {
        let cluster = &self.worker.name;
        let path = SecretPath::for_cluster(cluster, ClusterSecret::ArgoCdWebhook);
        let stored = match &path {
            Some(path) => {
                let stored = self.client.vault()?.read_secret(path).await;
                stored.with_context(|| format!("read the secret {path}"))?
            }
            None => None,
        };
        let token = stored.and_then(|stored| stored.values.get(TOKEN).cloned());
        token.ok_or_else(|| {
            let path = path.map(|path| path.to_string()).unwrap_or_default();
            let detail = format!(
                "Vault has no token at {path} with which GitLab calls Argo CD in the cluster {cluster}. Apply the nautes_cluster, which makes it; or set push_hook = false."
            );
            Diagnostic::error("The token of the hook to Argo CD is missing", detail).into()
        })
    }
}

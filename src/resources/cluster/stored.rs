//! The secrets of a cluster in Vault: the kubeconfigs with which it is managed and with which runtimes are made.

use std::collections::BTreeMap;

use nautes_model::EntityName;
use nautes_model::vault::{CLUSTER_MOUNT, CLUSTER_UID, ClusterSecret, KUBECONFIG, SecretPath};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use crate::backends::vault::{Expected, SecretValues};
use crate::client::Client;
use crate::diagnostics::Context as _;
use crate::secret::{ExposeSecret as _, Secret};

/// The key of the custom metadata that says which cluster a secret belongs to.
const OWNER: &str = "owner";

/// The key of the custom metadata that says that the credential is being removed from the cluster.
const LEAVING: &str = "leaving";

/// The kubeconfig that Vault holds.
pub(super) struct StoredCredential {
    pub(super) kubeconfig: Secret,
    pub(super) uid: Option<String>,
    version: u64,
}

impl StoredCredential {
    /// Whether this is the token in the kubeconfig.
    pub(super) fn holds(&self, token: &Secret) -> bool {
        self.kubeconfig
            .expose_secret()
            .contains(token.expose_secret())
    }
}

/// The secrets of one cluster.
pub(super) struct ClusterSecrets<'a> {
    client: &'a Client,
    /// Where the kubeconfig is with which the cluster is managed.
    pub(super) path: SecretPath,
    /// Where the kubeconfig is with which runtimes are made.
    runtime: SecretPath,
    /// Where the token is with which GitLab calls Argo CD's webhook.
    webhook: SecretPath,
    pub(super) name: String,
}

/// A kubeconfig in Vault, with the policy that allows reading it.
pub(super) struct KubeconfigSecret<'a> {
    client: &'a Client,
    pub(super) path: &'a SecretPath,
    policy_text: String,
}

impl<'a> ClusterSecrets<'a> {
    pub(super) fn new(client: &'a Client, name: &EntityName) -> Result<Self, Diagnostics> {
        let path = |secret| {
            SecretPath::for_cluster(name, secret).ok_or_else(|| {
                let detail = format!(
                    "The secrets of a cluster are at a path with its name, which allows letters, digits and hyphens; {name} has others."
                );
                let diagnostic = Diagnostic::error("Invalid value for name", detail);
                Diagnostics::from(diagnostic.at(&Path::to("name")))
            })
        };
        Ok(Self {
            client,
            path: path(ClusterSecret::Admin)?,
            runtime: path(ClusterSecret::Runtime)?,
            webhook: path(ClusterSecret::ArgoCdWebhook)?,
            name: name.to_string(),
        })
    }

    /// Returns the kubeconfig with which the cluster is managed.
    pub(super) fn admin(&self) -> KubeconfigSecret<'_> {
        KubeconfigSecret {
            client: self.client,
            path: &self.path,
            policy_text: self.path.policy_text(),
        }
    }

    /// Returns the kubeconfig with which runtimes are made. Its policy covers the token of Argo CD's webhook, too.
    pub(super) fn runtime(&self) -> KubeconfigSecret<'_> {
        let texts = [self.runtime.policy_text(), self.webhook.policy_text()];
        KubeconfigSecret {
            client: self.client,
            path: &self.runtime,
            policy_text: texts.join("\n"),
        }
    }

    /// Checks that Vault can be used, and that the secrets there, if any, are those of this cluster, or of the one that
    /// was rebuilt as this one.
    pub(super) async fn check(&self, uid: &str, former: Option<&str>) -> Result<(), Diagnostics> {
        let vault = self.client.vault()?;
        let mounted = vault.ensure_mount(CLUSTER_MOUNT).await;
        mounted.with_context(|| format!("use the secrets engine {CLUSTER_MOUNT} of Vault"))?;
        for secret in [self.admin(), self.runtime()] {
            let owner = match secret.custom_metadata().await?.remove(OWNER) {
                Some(owner) => Some(owner),
                // Nautes and people write none: then the content tells whose it is.
                None => secret.owner_in_content().await?,
            };
            let is_own = |owner: &str| owner == uid || Some(owner) == former;
            if let Some(owner) = owner.filter(|owner| !is_own(owner)) {
                let detail = format!(
                    "Vault has a kubeconfig of another cluster at {}: its UID is {owner}, and that of the cluster that answers is {uid}. Nothing was changed. Choose another name; or, if that cluster is gone, delete the secret (vault kv metadata delete).",
                    secret.path
                );
                let summary = format!("The name {} is taken in Vault", self.name);
                return Err(Diagnostic::error(summary, detail)
                    .at(&Path::to("name"))
                    .into());
            }
        }
        Ok(())
    }

    /// Whether a destroy has begun to remove the credential from the cluster, so that it may be of no use.
    pub(super) async fn is_leaving(&self) -> Result<bool, Diagnostics> {
        let custom = self.admin().custom_metadata().await?;
        Ok(custom.contains_key(LEAVING))
    }

    /// Notes that the credential is being removed from the cluster.
    pub(super) async fn mark_leaving(&self) -> Result<(), Diagnostics> {
        let mut custom = self.admin().custom_metadata().await?;
        custom.insert(LEAVING.to_owned(), "true".to_owned());
        let marked = self
            .client
            .vault()?
            .set_custom_metadata(&self.path, &custom);
        marked
            .await
            .with_context(|| format!("mark the secret {}", self.path))
    }

    /// Reads the kubeconfig with which the cluster is managed; `None` if there is none.
    pub(super) async fn read(&self) -> Result<Option<StoredCredential>, Diagnostics> {
        self.admin().read().await
    }

    /// Deletes the secrets of the cluster and the policies.
    pub(super) async fn delete(&self) -> Result<(), Diagnostics> {
        self.runtime().delete().await?;
        let vault = self.client.vault()?;
        let deleted = vault.delete_secret(&self.webhook).await;
        deleted.with_context(|| format!("delete the secret {}", self.webhook))?;
        self.admin().delete().await
    }
}

impl KubeconfigSecret<'_> {
    async fn custom_metadata(&self) -> Result<BTreeMap<String, String>, Diagnostics> {
        let metadata = self.client.vault()?.secret_metadata(self.path).await;
        let metadata =
            metadata.with_context(|| format!("read the metadata of the secret {}", self.path))?;
        Ok(metadata.map(|metadata| metadata.custom).unwrap_or_default())
    }

    /// Returns the UID in the secret, or a word for none; `None` if there is no secret.
    async fn owner_in_content(&self) -> Result<Option<String>, Diagnostics> {
        let stored = self.client.vault()?.read_secret(self.path).await;
        let stored = stored.with_context(|| format!("read the secret {}", self.path))?;
        Ok(stored.map(|stored| {
            let uid = stored.values.get(CLUSTER_UID);
            uid.map_or_else(
                || "not known".to_owned(),
                |uid| uid.expose_secret().to_owned(),
            )
        }))
    }

    /// Reads the kubeconfig; `None` if there is none.
    pub(super) async fn read(&self) -> Result<Option<StoredCredential>, Diagnostics> {
        let stored = self.client.vault()?.read_secret(self.path).await;
        let stored = stored.with_context(|| format!("read the secret {}", self.path))?;
        Ok(stored.and_then(|stored| {
            let kubeconfig = stored.values.get(KUBECONFIG)?.clone();
            let uid = stored.values.get(CLUSTER_UID);
            Some(StoredCredential {
                kubeconfig,
                uid: uid.map(|uid| uid.expose_secret().to_owned()),
                version: stored.version,
            })
        }))
    }

    /// Writes the kubeconfig and the policy that allows reading it. Nothing is written if Vault holds it
    /// already.
    pub(super) async fn write(&self, kubeconfig: &Secret, uid: &str) -> Result<(), Diagnostics> {
        let vault = self.client.vault()?;
        let path = self.path;
        let present = self.read().await?;
        let is_same = present.as_ref().is_some_and(|present| {
            present.kubeconfig.expose_secret() == kubeconfig.expose_secret()
                && present.uid.as_deref() == Some(uid)
        });
        let owner = BTreeMap::from([(OWNER.to_owned(), uid.to_owned())]);
        // Also if an interrupted destroy has marked it: the cluster stays.
        if !is_same || self.custom_metadata().await? != owner {
            let marked = vault.set_custom_metadata(path, &owner).await;
            marked.with_context(|| format!("mark the secret {path}"))?;
        }
        if !is_same {
            let values = SecretValues::default()
                .with(KUBECONFIG, kubeconfig.clone())
                .with(CLUSTER_UID, uid.to_owned());
            let expected = present.map_or(Expected::Absent, |present| {
                Expected::Version(present.version)
            });
            let written = vault.write_secret(path, &values, expected).await;
            written.with_context(|| format!("write the secret {path}"))?;
        }
        let (policy, text) = (path.policy_name(), &self.policy_text);
        let stored = vault.policy(&policy).await;
        let stored = stored.with_context(|| format!("read the policy {policy}"))?;
        if stored.as_ref() != Some(text) {
            let written = vault.write_policy(&policy, text).await;
            written.with_context(|| format!("write the policy {policy}"))?;
        }
        Ok(())
    }

    /// Deletes the kubeconfig and its policy.
    pub(super) async fn delete(&self) -> Result<(), Diagnostics> {
        let vault = self.client.vault()?;
        let policy = self.path.policy_name();
        let deleted = vault.delete_policy(&policy).await;
        deleted.with_context(|| format!("delete the policy {policy}"))?;
        let deleted = vault.delete_secret(self.path).await;
        deleted.with_context(|| format!("delete the secret {}", self.path))
    }
}

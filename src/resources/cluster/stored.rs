//! The secrets of a cluster in Vault: the kubeconfigs with which it is managed and with which runtimes are made, and the
//! token of Argo CD's webhook.

use std::collections::BTreeMap;

use nautes_model::EntityName;
use nautes_model::vault::{
    CLUSTER_MOUNT, CLUSTER_UID, ClusterSecret, KUBECONFIG, SecretPath, TOKEN,
};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use super::vault_policy::ClusterPolicy;
use crate::backends::vault::{Expected, SecretValues, StoredSecret};
use crate::client::Client;
use crate::diagnostics::Context as _;
use crate::secret::{ExposeSecret as _, Secret};

/// The key of the custom metadata that says which cluster a secret belongs to.
const OWNER: &str = "owner";

/// The key of the custom metadata that says that a destroy is removing the credential from the cluster, or the virtual
/// cluster itself.
const LEAVING: &str = "leaving";

/// The key of the custom metadata that names the UID of a virtual cluster without data, in whose place another one is
/// being made.
const REPLACED: &str = "replaced";

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

/// A secret in Vault whose metadata names the cluster to which it belongs.
struct OwnedSecret<'a> {
    client: &'a Client,
    path: &'a SecretPath,
}

/// To which cluster a secret belongs.
#[derive(Debug, Eq, PartialEq)]
enum SecretOwner {
    /// There is no secret.
    NoSecret,
    /// The cluster with this UID.
    Cluster(String),
    /// Nothing says it.
    Unknown,
}

/// A kubeconfig in Vault, with the policy that allows reading it.
pub(super) struct KubeconfigSecret<'a> {
    secret: OwnedSecret<'a>,
    pub(super) path: &'a SecretPath,
    policy: ClusterPolicy<'a>,
}

/// The token with which GitLab calls Argo CD's webhook.
pub(super) struct WebhookToken<'a> {
    secret: OwnedSecret<'a>,
    pub(super) path: &'a SecretPath,
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
        self.kubeconfig(&self.path, self.path.policy_text())
    }

    /// Returns the kubeconfig with which runtimes are made. Its policy covers the token of Argo CD's webhook, too.
    pub(super) fn runtime(&self) -> KubeconfigSecret<'_> {
        let texts = [self.runtime.policy_text(), self.webhook.policy_text()];
        self.kubeconfig(&self.runtime, texts.join("\n"))
    }

    /// Returns the token with which GitLab calls Argo CD's webhook.
    pub(super) fn webhook(&self) -> WebhookToken<'_> {
        let (client, path) = (self.client, &self.webhook);
        WebhookToken {
            secret: OwnedSecret { client, path },
            path,
        }
    }

    fn kubeconfig<'s>(&'s self, path: &'s SecretPath, rules: String) -> KubeconfigSecret<'s> {
        let client = self.client;
        KubeconfigSecret {
            secret: OwnedSecret { client, path },
            path,
            policy: ClusterPolicy {
                client,
                name: path.policy_name(),
                rules,
            },
        }
    }

    /// Checks that Vault can be used, and that the secrets and policies there, if any, are those of this cluster, or of
    /// the one that was rebuilt as this one.
    pub(super) async fn check(&self, uid: &str, former: Option<&str>) -> Result<(), Diagnostics> {
        self.check_secrets(uid, former).await?;
        for kubeconfig in [self.admin(), self.runtime()] {
            kubeconfig.policy.require_own(uid, former).await?;
        }
        Ok(())
    }

    /// Checks that Vault can be used, and that the secrets there, if any, are those of this cluster.
    pub(super) async fn check_secrets(
        &self,
        uid: &str,
        former: Option<&str>,
    ) -> Result<(), Diagnostics> {
        let is_own = |owner: &str| owner == uid || Some(owner) == former;
        let vault = self.client.vault()?;
        let mounted = vault.ensure_mount(CLUSTER_MOUNT).await;
        mounted.with_context(|| format!("use the secrets engine {CLUSTER_MOUNT} of Vault"))?;
        let (admin, runtime, webhook) = (self.admin(), self.runtime(), self.webhook());
        let of_admin = admin.secret.owner().await?;
        self.require_owner(admin.path, &of_admin, uid, is_own)?;
        let of_runtime = runtime.secret.owner().await?;
        self.require_owner(runtime.path, &of_runtime, uid, is_own)?;
        let of_webhook = match webhook.secret.owner().await? {
            // Older versions of the provider wrote none beside a kubeconfig of the cluster.
            SecretOwner::Unknown => match of_admin {
                SecretOwner::Cluster(owner) if is_own(&owner) => return Ok(()),
                _ => SecretOwner::Unknown,
            },
            owner => owner,
        };
        self.require_owner(webhook.path, &of_webhook, uid, is_own)
    }

    fn require_owner(
        &self,
        path: &SecretPath,
        owner: &SecretOwner,
        uid: &str,
        is_own: impl Fn(&str) -> bool,
    ) -> Result<(), Diagnostics> {
        let delete = format!("vault kv metadata delete {path}");
        let detail = match owner {
            SecretOwner::NoSecret => return Ok(()),
            SecretOwner::Cluster(owner) if is_own(owner) => return Ok(()),
            SecretOwner::Cluster(owner) => format!(
                "Vault has a secret of another cluster at {path}: its UID is {owner}, and that of the cluster that answers is {uid}. Nothing was changed. Choose another name; or, if that cluster is gone, delete the secret ({delete})."
            ),
            SecretOwner::Unknown => format!(
                "Vault has a secret at {path} that does not say to which cluster it belongs. Nothing was changed. If it is that of this cluster, say so (vault kv metadata put -custom-metadata={OWNER}={uid} {path}); otherwise choose another name, or delete the secret ({delete})."
            ),
        };
        let summary = format!("The name {} is taken in Vault", self.name);
        Err(Diagnostic::error(summary, detail)
            .at(&Path::to("name"))
            .into())
    }

    /// Whether a destroy has begun to remove the credential from the cluster, or the virtual cluster itself, so that it may
    /// be of no use.
    pub(super) async fn is_leaving(&self) -> Result<bool, Diagnostics> {
        let custom = self.admin().secret.custom_metadata().await?;
        Ok(custom.contains_key(LEAVING))
    }

    /// Notes that the credential, or the virtual cluster itself, is being removed.
    pub(super) async fn mark_leaving(&self) -> Result<(), Diagnostics> {
        let secret = self.admin().secret;
        let mut custom = secret.custom_metadata().await?;
        custom.insert(LEAVING.to_owned(), "true".to_owned());
        secret.set_custom_metadata(&custom).await
    }

    /// Whether an apply has begun to make another virtual cluster in the place of the one with this UID.
    pub(super) async fn is_replaced(&self, uid: &str) -> Result<bool, Diagnostics> {
        let custom = self.admin().secret.custom_metadata().await?;
        Ok(custom.get(REPLACED).is_some_and(|replaced| replaced == uid))
    }

    /// Notes that another virtual cluster is being made in the place of the one with this UID. The note stays: it tells
    /// nothing about a state with the UID of the new one.
    pub(super) async fn mark_replaced(&self, uid: &str) -> Result<(), Diagnostics> {
        let secret = self.admin().secret;
        let mut custom = secret.custom_metadata().await?;
        custom.insert(REPLACED.to_owned(), uid.to_owned());
        secret.set_custom_metadata(&custom).await
    }

    /// Reads the kubeconfig with which the cluster is managed; `None` if there is none.
    pub(super) async fn read(&self) -> Result<Option<StoredCredential>, Diagnostics> {
        self.admin().read().await
    }

    /// Deletes the secrets of the cluster and its policies, and returns warnings of policies that stay. The secrets must
    /// have been checked.
    pub(super) async fn delete(
        &self,
        uid: Option<&str>,
    ) -> Result<Vec<(String, String)>, Diagnostics> {
        let of_runtime = self.runtime().delete(uid).await?;
        self.webhook().secret.delete().await?;
        let of_admin = self.admin().delete(uid).await?;
        Ok(of_runtime.into_iter().chain(of_admin).collect())
    }
}

impl WebhookToken<'_> {
    /// Reads the token; `None` if there is none.
    pub(super) async fn read(&self) -> Result<Option<Secret>, Diagnostics> {
        let stored = self.secret.read().await?;
        Ok(stored.and_then(|stored| stored.values.get(TOKEN).cloned()))
    }

    /// Marks the token as that of this cluster, and writes a new one if it is given.
    pub(super) async fn ensure(&self, new: Option<Secret>, uid: &str) -> Result<(), Diagnostics> {
        self.secret.mark(uid).await?;
        let Some(token) = new else {
            return Ok(());
        };
        let values = SecretValues::default().with(TOKEN, token);
        let vault = self.secret.client.vault()?;
        let written = vault.write_secret(self.path, &values, Expected::Absent);
        let written = written.await.map(drop);
        written.with_context(|| format!("write the secret {}", self.path))
    }
}

impl OwnedSecret<'_> {
    /// Returns to which cluster the secret belongs, by its metadata or else by its content.
    async fn owner(&self) -> Result<SecretOwner, Diagnostics> {
        if let Some(owner) = self.custom_metadata().await?.remove(OWNER) {
            return Ok(SecretOwner::Cluster(owner));
        }
        Ok(match self.read().await? {
            None => SecretOwner::NoSecret,
            Some(stored) => match stored.values.get(CLUSTER_UID) {
                Some(uid) => SecretOwner::Cluster(uid.expose_secret().to_owned()),
                None => SecretOwner::Unknown,
            },
        })
    }

    /// Writes into the metadata that the secret belongs to a cluster and stays.
    async fn mark(&self, uid: &str) -> Result<(), Diagnostics> {
        let present = self.custom_metadata().await?;
        let mut custom = BTreeMap::from([(OWNER.to_owned(), uid.to_owned())]);
        let replaced = present.get(REPLACED);
        if let Some(replaced) = replaced.filter(|replaced| *replaced != uid) {
            custom.insert(REPLACED.to_owned(), replaced.clone());
        }
        if present == custom {
            return Ok(());
        }
        self.set_custom_metadata(&custom).await
    }

    async fn custom_metadata(&self) -> Result<BTreeMap<String, String>, Diagnostics> {
        let metadata = self.client.vault()?.secret_metadata(self.path).await;
        let metadata =
            metadata.with_context(|| format!("read the metadata of the secret {}", self.path))?;
        Ok(metadata.map(|metadata| metadata.custom).unwrap_or_default())
    }

    async fn set_custom_metadata(
        &self,
        custom: &BTreeMap<String, String>,
    ) -> Result<(), Diagnostics> {
        let vault = self.client.vault()?;
        let marked = vault.set_custom_metadata(self.path, custom).await;
        marked.with_context(|| format!("mark the secret {}", self.path))
    }

    async fn read(&self) -> Result<Option<StoredSecret>, Diagnostics> {
        let stored = self.client.vault()?.read_secret(self.path).await;
        stored.with_context(|| format!("read the secret {}", self.path))
    }

    async fn delete(&self) -> Result<(), Diagnostics> {
        let deleted = self.client.vault()?.delete_secret(self.path).await;
        deleted.with_context(|| format!("delete the secret {}", self.path))
    }
}

impl KubeconfigSecret<'_> {
    /// Reads the kubeconfig; `None` if there is none.
    pub(super) async fn read(&self) -> Result<Option<StoredCredential>, Diagnostics> {
        Ok(self.secret.read().await?.and_then(|stored| {
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
        let path = self.path;
        let present = self.read().await?;
        let is_same = present.as_ref().is_some_and(|present| {
            present.kubeconfig.expose_secret() == kubeconfig.expose_secret()
                && present.uid.as_deref() == Some(uid)
        });
        // Also if an interrupted destroy has marked it: the cluster stays.
        self.secret.mark(uid).await?;
        if !is_same {
            let values = SecretValues::default()
                .with(KUBECONFIG, kubeconfig.clone())
                .with(CLUSTER_UID, uid.to_owned());
            let expected = present.map_or(Expected::Absent, |present| {
                Expected::Version(present.version)
            });
            let vault = self.secret.client.vault()?;
            let written = vault.write_secret(path, &values, expected).await;
            written.with_context(|| format!("write the secret {path}"))?;
        }
        self.policy.write(uid).await
    }

    /// Notes that the kubeconfig belongs to a cluster that stays, also if an interrupted destroy has marked it.
    pub(super) async fn mark_staying(&self, uid: &str) -> Result<(), Diagnostics> {
        self.secret.mark(uid).await
    }

    /// Deletes the kubeconfig, and its policy if that is the cluster's; returns a warning of one that stays.
    pub(super) async fn delete(
        &self,
        uid: Option<&str>,
    ) -> Result<Option<(String, String)>, Diagnostics> {
        let kept = self.policy.delete(uid).await?;
        self.secret.delete().await?;
        Ok(kept)
    }
}

//! Brings a cluster to what is planned: the credential with which it is managed, what Vault needs to verify the
//! service accounts of a worker, the account of runtimes, and the facts that they need. Nothing is written that is
//! there already.

use std::sync::Arc;
use std::time::Duration;

use kubernetes_apply::apply_set::{ApplyOptions, ApplySet, Kept, LiveObjects, Parent};
use kubernetes_apply::cluster::{ApiError, Cluster, Detail};
use kubernetes_apply::connection::{Access, Limits};
use kubernetes_apply::object::{Kind, Object, ObjectRef};
use kubernetes_apply::ownership::Adoption;
use nautes_model::EntityName;
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::value::Tf;

use super::access::{Connection, open};
use super::guard::require_entry;
use super::model::{ClusterModel, CredentialModel};
use super::namespaces::without_foreign_namespaces;
use super::reviewer::Reviewer;
use super::runtime_access::RuntimeCredential;
use super::stored::ClusterSecrets;
use super::tokens::Tokens;
use crate::client::Client;
use crate::clusters::lock::Lock;
use crate::clusters::{
    ComponentFacts, Facts, NAMESPACE, OWN_ACCOUNT, REVIEWER_ACCOUNT, build_kubeconfig, own_account,
    own_namespace, owner, reviewer_accounts,
};
use crate::diagnostics::Context as _;
use crate::secret::{ExposeSecret as _, Secret};

/// The audience of the tokens with which service accounts log in to Vault.
pub(super) const AUDIENCE: &str = "vault";

/// Returns the set of a cluster's base objects.
pub(super) fn base_set(cluster: &Cluster) -> Result<ApplySet<'_>, Diagnostics> {
    object_set(cluster, "nautes-cluster")
}

/// Returns the set with this inventory in the namespace of the provider.
pub(super) fn object_set<'c>(
    cluster: &'c Cluster,
    name: &str,
) -> Result<ApplySet<'c>, Diagnostics> {
    let parent = Parent {
        namespace: NAMESPACE.to_owned(),
        name: name.to_owned(),
    };
    Ok(ApplySet::new(
        cluster,
        owner().context("name objects")?,
        parent,
    ))
}

/// Applies a set if it differs from what the cluster has, and returns what was to go and stays.
pub(super) async fn apply_changed(
    cluster: &Cluster,
    set: &ApplySet<'_>,
    objects: Vec<Object>,
    attempt: &str,
) -> Result<Vec<Kept>, Diagnostics> {
    let wanted: Vec<ObjectRef> = objects
        .iter()
        .map(|object| object.reference().clone())
        .collect();
    let inventory = set.inventory().await.context(attempt)?;
    let is_complete = inventory.obsolete(&wanted).is_empty()
        && wanted.iter().all(|object| inventory.uid(object).is_some());
    if is_complete {
        let owner = owner().context(attempt)?;
        let live = LiveObjects::new(cluster, &owner.label);
        let drift = set.drift(objects.clone(), None, &live).await;
        if drift.context(attempt)?.is_empty() {
            return Ok(Vec::new());
        }
    }
    let applied = set.apply(objects, &ApplyOptions::default()).await;
    Ok(applied.context(attempt)?.pruned.kept)
}

/// Returns the warnings of objects that were to go and stay.
pub(super) fn warnings_of_kept(name: &EntityName, kept: &[Kept]) -> Vec<(String, String)> {
    let warnings = kept.iter().map(|kept| {
        let summary = format!("An object stays in the cluster {name}");
        (summary, format!("{kept}."))
    });
    warnings.collect()
}

/// What a set-up works with.
pub(super) struct Setup<'a> {
    pub(super) client: &'a Client,
    pub(super) name: &'a EntityName,
    pub(super) planned: &'a ClusterModel,
    pub(super) connection: &'a Connection,
    /// Whether the user's kubeconfig is used, and not the one in Vault.
    pub(super) uses_given: bool,
    /// The UID in the state: another one than that of the cluster if it was rebuilt.
    pub(super) former_uid: Option<&'a str>,
    /// How old tokens may become, if the last refresh found one that is older.
    pub(super) rotate_after: Option<Duration>,
    /// Whether something may be missing that only a proof tells, as at a creation or after drift.
    pub(super) repairs: bool,
    /// What runtimes need to know of the components.
    pub(super) components: ComponentFacts,
}

/// A cluster in which components can be installed.
pub(super) struct Prepared {
    /// The cluster, as the credential sees it with which it is managed.
    pub(super) cluster: Arc<Cluster>,
    /// The version of its Kubernetes.
    pub(super) version: String,
    /// The Secrets with the tokens in use, of the provider's own account and of the reviewer.
    own_token: Option<&'static str>,
    reviewer: Option<(&'static str, String)>,
    /// What was to go and stays.
    warnings: Vec<(String, String)>,
}

impl Setup<'_> {
    pub(super) fn is_worker(&self) -> bool {
        self.planned.usage == "worker"
    }

    fn is_rebuilt(&self) -> bool {
        self.former_uid
            .is_some_and(|former| former != self.connection.uid)
    }

    pub(super) fn attempt(&self) -> String {
        format!("set up the cluster {}", self.name)
    }

    /// Checks what may be refused, before anything is written.
    pub(super) async fn check(&self) -> Result<(), Diagnostics> {
        let secrets = ClusterSecrets::new(self.client, self.name)?;
        let uid = &self.connection.uid;
        secrets.check(uid, self.former_uid).await?;
        let cluster = &self.connection.cluster;
        require_entry(cluster, self.name, &self.attempt()).await?;
        self.require_free_names().await?;
        if self.is_worker() {
            self.reviewer(&self.connection.cluster).auth_mount().await?;
        }
        Ok(())
    }

    /// Makes the namespace of the provider, and waits until no other run works in the cluster.
    ///
    /// Returns the cluster as the credential sees it that Vault has then: the other run may have replaced it.
    pub(super) async fn lock(&self) -> Result<(Lock, Arc<Cluster>), Diagnostics> {
        let cluster = &self.connection.cluster;
        let namespace = own_namespace().context(self.attempt())?;
        self.apply_one(cluster, &namespace).await?;
        let attempt = self.attempt();
        let lock = match Lock::acquire(cluster, self.name, &attempt).await {
            Err(error) if error.is_unauthorized() => match self.replaced_credential().await? {
                Some(cluster) => Lock::acquire(&cluster, self.name, &attempt).await,
                None => Err(error),
            },
            acquired => acquired,
        };
        let lock = lock.context(&attempt)?;
        let cluster = self.replaced_credential().await?;
        let cluster = cluster.unwrap_or_else(|| Arc::clone(&self.connection.cluster));
        lock.use_cluster(&cluster);
        // The run that was waited for may have registered the cluster under another name.
        require_entry(&cluster, self.name, &attempt).await?;
        Ok((lock, cluster))
    }

    /// Connects with the credential in Vault, if that is used and is not what it was any more.
    async fn replaced_credential(&self) -> Result<Option<Arc<Cluster>>, Diagnostics> {
        if self.uses_given {
            return Ok(None);
        }
        let stored = ClusterSecrets::new(self.client, self.name)?.read().await?;
        let known = self.connection.kubeconfig.expose_secret();
        let replaced = stored.filter(|stored| stored.kubeconfig.expose_secret() != known);
        let Some(stored) = replaced else {
            return Ok(None);
        };
        let (_, cluster) =
            open(&self.planned.api_server, &stored.kubeconfig).context(self.attempt())?;
        let proven = cluster.require_uid(&self.connection.uid).await;
        proven.context(self.attempt())?;
        Ok(Some(Arc::new(cluster)))
    }

    /// Makes what components build on.
    pub(super) async fn prepare(
        &self,
        lock: &Lock,
        cluster: &Arc<Cluster>,
    ) -> Result<Prepared, Diagnostics> {
        let version = cluster.version().await.map_err(ApiError::from);
        let version =
            version.with_context(|| format!("ask the cluster {} for its version", self.name))?;
        let secrets = ClusterSecrets::new(self.client, self.name)?;
        let (cluster, own_token) = if has_own_account(self.planned) {
            let (cluster, secret) = self.exchange_credential(cluster, &secrets).await?;
            lock.use_cluster(&cluster);
            (cluster, Some(secret))
        } else {
            // Not what was read before the lock: another run may have stored a newer one.
            if self.uses_given || self.is_rebuilt() {
                let (kubeconfig, uid) = (&self.connection.kubeconfig, &self.connection.uid);
                secrets.admin().write(kubeconfig, uid).await?;
            } else {
                secrets.admin().mark_staying(&self.connection.uid).await?;
            }
            (Arc::clone(cluster), None)
        };
        let objects = base_objects(&cluster, self.planned, &self.attempt()).await?;
        let kept = apply_changed(&cluster, &base_set(&cluster)?, objects, &self.attempt()).await?;
        let reviewer = if self.is_worker() {
            Some(self.reviewer(&cluster).ensure().await?)
        } else {
            None
        };
        Ok(Prepared {
            cluster,
            version,
            own_token,
            reviewer,
            warnings: warnings_of_kept(self.name, &kept),
        })
    }

    /// Makes what runtimes need, and ends the tokens that are no longer used; returns warnings.
    pub(super) async fn complete(
        &self,
        prepared: &Prepared,
    ) -> Result<Vec<(String, String)>, Diagnostics> {
        let cluster = &prepared.cluster;
        let mut warnings = prepared.warnings.clone();
        if self.is_worker() {
            let credential = RuntimeCredential {
                setup: self,
                cluster,
            };
            warnings.extend(credential.ensure().await?);
        }
        let hash = prepared.reviewer.as_ref().map(|(_, hash)| hash.clone());
        let facts = self.facts(hash).object().context(self.attempt())?;
        self.apply_one(cluster, &facts).await?;
        let tokens = |account| Tokens {
            cluster,
            cluster_name: self.name,
            account,
        };
        if let Some((secret, _)) = &prepared.reviewer {
            tokens(&REVIEWER_ACCOUNT).remove_others(secret).await?;
        }
        if let Some(secret) = prepared.own_token {
            tokens(&OWN_ACCOUNT).remove_others(secret).await?;
        }
        Ok(warnings)
    }

    fn reviewer<'s>(&'s self, cluster: &'s Cluster) -> Reviewer<'s> {
        Reviewer {
            setup: self,
            cluster,
        }
    }

    /// Exchanges the credential for a token of the provider's own service account, which Vault gets when it is proven.
    /// Returns the cluster as that account sees it, and the Secret with the token.
    async fn exchange_credential(
        &self,
        cluster: &Cluster,
        secrets: &ClusterSecrets<'_>,
    ) -> Result<(Arc<Cluster>, &'static str), Diagnostics> {
        let kind = Kind::new("v1", "Namespace");
        let namespace = cluster
            .find(&kind, None, NAMESPACE, Detail::Metadata)
            .await
            .context(self.attempt())?;
        let uid = namespace.as_ref().and_then(Object::uid).unwrap_or_default();
        for object in own_account(uid).context(self.attempt())? {
            self.apply_one(cluster, &object).await?;
        }
        let stored = secrets.read().await?;
        let tokens = Tokens {
            cluster,
            cluster_name: self.name,
            account: &OWN_ACCOUNT,
        };
        let current = tokens
            .ensure(self.rotate_after, |token| {
                stored.as_ref().is_some_and(|stored| stored.holds(token))
            })
            .await?;
        let own = self.connect_with(&current.token, "use the provider's own service account")?;
        if current.is_new {
            self.prove(&own, "use the provider's own service account")
                .await?;
        }
        let kubeconfig = self.kubeconfig(&current.token);
        secrets
            .admin()
            .write(&kubeconfig, &self.connection.uid)
            .await?;
        Ok((Arc::new(own), current.secret))
    }

    /// Returns a kubeconfig of the cluster with a token.
    pub(super) fn kubeconfig(&self, token: &Secret) -> Secret {
        build_kubeconfig(
            self.name.as_str(),
            &self.planned.api_server,
            &self.connection.access.certificate_authority(),
            token,
        )
    }

    /// Sets up a connection with a token; nothing is sent.
    pub(super) fn connect_with(&self, token: &Secret, verb: &str) -> Result<Cluster, Diagnostics> {
        let attempt = format!("{verb} in the cluster {}", self.name);
        let access = Access::new(&self.planned.api_server).context(&attempt)?;
        let ca = self.connection.access.certificate_authority();
        let access = if ca.is_empty() {
            access
        } else {
            access
                .with_certificate_authority(ca.as_bytes())
                .context(&attempt)?
        };
        Cluster::new(&access.with_token(token.clone()), Limits::default()).context(&attempt)
    }

    /// Proves that the cluster accepts a token, before Vault gets it.
    pub(super) async fn prove(&self, cluster: &Cluster, verb: &str) -> Result<(), Diagnostics> {
        let proven = cluster.require_uid(&self.connection.uid).await;
        proven.with_context(|| format!("{verb} in the cluster {}", self.name))
    }

    /// Applies an object that belongs to no set, if it differs from what the cluster has.
    async fn apply_one(&self, cluster: &Cluster, object: &Object) -> Result<(), Diagnostics> {
        let attempt = self.attempt();
        let owner = owner().context(&attempt)?;
        let live = LiveObjects::new(cluster, &owner.label);
        let drift = live.compare(object, &owner).await.context(&attempt)?;
        if drift.is_some() {
            let applied = cluster.apply(object, &owner, &Adoption::Never).await;
            applied.context(&attempt)?;
        }
        Ok(())
    }

    pub(super) fn facts(&self, reviewer_token: Option<String>) -> Facts {
        Facts {
            cluster_uid: self.connection.uid.clone(),
            name: self.name.to_string(),
            worker_type: self.planned.worker_type.clone(),
            vault_audience: AUDIENCE.to_owned(),
            reviewer_token,
            components: self.components.clone(),
            products: self.planned.product_access(),
        }
    }
}

/// Returns the base objects of a cluster, which are one set, without a namespace that is somebody else's.
pub(super) async fn base_objects(
    cluster: &Cluster,
    model: &ClusterModel,
    attempt: &str,
) -> Result<Vec<Object>, Diagnostics> {
    let objects = match model.usage.as_str() {
        "worker" => reviewer_accounts().context(attempt)?,
        _ => Vec::new(),
    };
    without_foreign_namespaces(cluster, objects, attempt).await
}

/// Whether the provider works in a cluster with a service account of its own.
pub(super) fn has_own_account(model: &ClusterModel) -> bool {
    let kind = model.credential.known().map(|credential| &credential.kind);
    kind.is_none_or(|kind| kind == CredentialModel::SERVICE_ACCOUNT)
}

/// Returns how old the tokens of a cluster may become.
pub(super) fn rotate_after(model: &ClusterModel) -> Option<Duration> {
    let credential = model.credential.known()?;
    humantime::parse_duration(&credential.rotate_after).ok()
}

/// Returns when the credential ends with which a cluster is managed; null if it is a token of the provider's own.
pub(super) fn expires_at(model: &ClusterModel, access: &Access) -> Tf<String> {
    let end = access.expires_at().filter(|_| !has_own_account(model));
    let end = end.map(|end| humantime::format_rfc3339_seconds(end).to_string());
    end.into()
}

/// The description of a cluster's auth mount, which tells whose it is.
pub(super) fn description(uid: &str) -> String {
    format!("nautes {uid}")
}

/// Returns the attribute `credential` of a cluster whose credential is in Vault.
pub(super) fn credential(
    planned: &ClusterModel,
    expires_at: Tf<String>,
    vault_path: String,
) -> CredentialModel {
    let planned = planned.credential.known();
    CredentialModel {
        kind: planned
            .map_or(CredentialModel::SERVICE_ACCOUNT, |planned| &planned.kind)
            .to_owned(),
        rotate_after: planned
            .map_or(CredentialModel::ROTATE_AFTER, |planned| {
                &planned.rotate_after
            })
            .to_owned(),
        expires_at,
        rotation_due: Tf::Known(false),
        vault_path: Tf::Known(vault_path),
    }
}

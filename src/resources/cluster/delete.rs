//! The deletion of a cluster's entry: the cluster itself stays.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use kubernetes_apply::apply_set::{Content, DeleteOptions, Kept, namespace_content};
use kubernetes_apply::cluster::{ApiError, Cluster, Detail, IdentityError};
use kubernetes_apply::object::{Kind, Object};
use kubernetes_apply::single::{DeleteObjectError, DeleteObjectFailure};
use nautes_model::EntityName;
use nautes_model::entity::Entity;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::Operation;
use terraform_plugin::value::Known;

use super::access::open;
use super::components::Installer;
use super::forget::{forgotten, require_forgettable, silence_at};
use super::guard::{check_unused, require_entry};
use super::manifest;
use super::manifest_change::delete_manifest;
use super::model::ClusterModel;
use super::read::object_id;
use super::runtime_access;
use super::setup::{base_set, description, has_own_account, warnings_of_kept};
use super::stored::{ClusterSecrets, StoredCredential};
use super::tokens::Tokens;
use super::virtual_cluster;
use crate::claim::{Claim, Deletion};
use crate::client::Client;
use crate::clusters::lock::Lock;
use crate::clusters::{NAMESPACE, OWN_ACCOUNT, REVIEWER_ACCOUNT, owner};
use crate::components::Component;
use crate::diagnostics::{Context as _, is_unreachable};
use crate::resources::home::{Found, Home};
use crate::resources::references::entity_name;

/// How long the namespace of the provider may take to go; Kubernetes needs five seconds for an empty one.
pub(super) const GONE_TIMEOUT: Duration = Duration::from_secs(120);

/// Deletes the manifest, which is refused while something refers to the cluster, then what was made in
/// the cluster, and at last what is in Vault.
pub(super) async fn delete(
    operation: &mut Operation<Client>,
    state: &ClusterModel,
) -> Result<(), Diagnostics> {
    let client = operation.client().clone();
    let name = entity_name("name", &state.name)?;
    let object = object_id(&name);
    let claim = Claim::load(&operation.private);
    if client.holders().judge_deletion(&object, claim.as_ref())? == Deletion::OfAnother {
        return Ok(());
    }
    let attempt = format!("remove the cluster {name}");
    let secrets = ClusterSecrets::new(&client, &name)?;
    let stored = secrets.read().await?;
    let cluster = if let Some(stored) = &stored {
        // Only an account in the namespace of the provider goes with it.
        let is_leaving = has_own_account(state) && secrets.is_leaving().await?;
        connect(operation, state, stored, is_leaving, &attempt).await?
    } else {
        require_removed(operation, state, &attempt).await?;
        None
    };
    if let Some(cluster) = &cluster {
        require_entry(cluster, &name, &attempt).await?;
        check_unused(cluster, &name).await?;
        let installer = installer(&client, &name, cluster, state);
        installer.require_all_unused().await?;
    }
    let uid = state.cluster_uid.known();
    if let Some(uid) = uid {
        secrets.check_secrets(uid, None).await?;
    }
    if let Some(cluster) = cluster.as_ref().filter(|_| state.usage == "host") {
        virtual_cluster::require_no_virtual_clusters(cluster, &name).await?;
    }

    let lock = match &cluster {
        Some(cluster) => lock(cluster, &name, &attempt).await?,
        None => None,
    };
    let mut removal = Removal {
        operation,
        client: &client,
        state,
        name: &name,
        secrets: &secrets,
        cluster: cluster.as_deref(),
        attempt: &attempt,
    };
    match &lock {
        Some(lock) => lock.run(Box::pin(removal.run_locked(claim))).await,
        None => Box::pin(removal.run(claim)).await,
    }?;
    if let Some(lock) = lock {
        // Before its namespace goes, and the lease with it.
        lock.release().await;
    }
    if let Some(cluster) = &cluster {
        remove_namespace(operation, cluster, state, &secrets, &attempt).await?;
    }
    let kept = secrets.delete(uid.map(String::as_str)).await?;
    for (summary, detail) in kept {
        operation.warn(summary, detail);
    }
    client.holders().release(&object);
    Ok(())
}

/// Fails if Vault has no credential of a cluster in which something may be left: a destroy removes the credential last,
/// after the auth mount.
async fn require_removed(
    operation: &mut Operation<Client>,
    state: &ClusterModel,
    attempt: &str,
) -> Result<(), Diagnostics> {
    let client = operation.client().clone();
    if client.settings().forgets_unreachable_clusters
        && let Some(error) = silence_at(&state.api_server, attempt).await?
    {
        let (summary, detail) = forgotten(state, &error);
        operation.warn(summary, detail);
        return Ok(());
    }
    let name = entity_name("name", &state.name)?;
    let key = Entity::from(manifest::entity(state)?).key();
    let found = Home::tenant(&client).read(&key, attempt).await?;
    let mount = client.vault()?.auth_mount(name.as_str()).await;
    let mount = mount.with_context(|| format!("look for auth/{name} in Vault"))?;
    let has_mount = mount.is_some_and(|mount| {
        let uid = state.cluster_uid.known();
        uid.is_some_and(|uid| mount.description == description(uid))
    });
    if matches!(found, Found::Absent) && !has_mount {
        return Ok(());
    }
    let detail = "Vault has no kubeconfig of it, so what the provider has made in it cannot be removed. Nothing was changed. Give one in kubeconfig_wo, change kubeconfig_wo_version, apply, and destroy again; or, if the cluster does not exist any more and nothing answers at api_server, set the provider argument unreachable_clusters to \"forget\".";
    Err(Diagnostic::error(format!("Cannot {attempt}"), detail).into())
}

/// Takes the lock of a cluster; `None` if it has no namespace of the provider any more.
pub(super) async fn lock(
    cluster: &Arc<Cluster>,
    name: &EntityName,
    attempt: &str,
) -> Result<Option<Lock>, Diagnostics> {
    let kind = Kind::new("v1", "Namespace");
    let found = cluster.find(&kind, None, NAMESPACE, Detail::Metadata).await;
    match found.context(attempt)? {
        Some(found) if !found.is_terminating() => {
            let lock = Lock::acquire(cluster, name, attempt).await;
            lock.map(Some).context(attempt)
        }
        Some(_) | None => Ok(None),
    }
}

fn installer<'a>(
    client: &'a Client,
    name: &'a EntityName,
    cluster: &'a Cluster,
    model: &'a ClusterModel,
) -> Installer<'a> {
    Installer {
        client,
        name,
        cluster,
        model,
    }
}

/// What removes a cluster's entry.
struct Removal<'a> {
    operation: &'a mut Operation<Client>,
    client: &'a Client,
    state: &'a ClusterModel,
    name: &'a EntityName,
    secrets: &'a ClusterSecrets<'a>,
    /// `None` if nothing is removed in the cluster.
    cluster: Option<&'a Cluster>,
    attempt: &'a str,
}

impl Removal<'_> {
    /// Does the same under the lock, for which it may have waited: what refused nothing before is asked again.
    async fn run_locked(&mut self, claim: Option<Claim>) -> Result<(), Diagnostics> {
        if let Some(cluster) = self.cluster {
            check_unused(cluster, self.name).await?;
            let installer = installer(self.client, self.name, cluster, self.state);
            installer.require_all_unused().await?;
            if self.state.usage == "host" {
                virtual_cluster::require_no_virtual_clusters(cluster, self.name).await?;
            }
        }
        self.run(claim).await
    }

    /// Removes everything but the credential with which that is done.
    async fn run(&mut self, claim: Option<Claim>) -> Result<(), Diagnostics> {
        let (client, state) = (self.client, self.state);
        delete_manifest(self.operation, state, claim, self.attempt).await?;

        if let Some(cluster) = self.cluster {
            self.remove_objects(cluster).await?;
        }
        remove_auth_mount(self.operation, state, client).await
    }

    async fn remove_objects(&mut self, cluster: &Cluster) -> Result<(), Diagnostics> {
        let name = self.name;
        let uid = self.state.cluster_uid.known().map(String::as_str);
        let (kept, policy) = runtime_access::remove(self.secrets, uid, cluster, name).await?;
        self.warn_of_kept(&kept);
        if let Some((summary, detail)) = policy {
            self.operation.warn(summary, detail);
        }
        let installer = installer(self.client, name, cluster, self.state);
        for component in Component::ALL.into_iter().rev() {
            for (summary, detail) in installer.remove(component).await? {
                self.operation.warn(summary, detail);
            }
        }
        let tokens = Tokens {
            cluster,
            cluster_name: name,
            account: &REVIEWER_ACCOUNT,
        };
        tokens.remove_all().await?;
        let deleted = base_set(cluster)?.delete(&DeleteOptions::default()).await;
        self.warn_of_kept(&deleted.context(self.attempt)?.kept);
        Ok(())
    }

    fn warn_of_kept(&mut self, kept: &[Kept]) {
        for (summary, detail) in warnings_of_kept(self.name, kept) {
            self.operation.warn(summary, detail);
        }
    }
}

/// Connects to the cluster; `None` if the credential is of no use because an earlier destroy has begun to
/// remove it from the cluster (`is_leaving`), or if the cluster cannot be reached and is to be forgotten.
async fn connect(
    operation: &mut Operation<Client>,
    state: &ClusterModel,
    stored: &StoredCredential,
    is_leaving: bool,
    attempt: &str,
) -> Result<Option<Arc<Cluster>>, Diagnostics> {
    let (_, cluster) = open(&state.api_server, &stored.kubeconfig).context(attempt)?;
    let cluster = Arc::new(cluster);
    let Known(expected) = &state.cluster_uid else {
        return Ok(Some(cluster));
    };
    match cluster.require_uid(expected).await {
        Ok(()) => Ok(Some(cluster)),
        Err(IdentityError::Unknown(error)) if is_leaving && is_refused(&error) => Ok(None),
        Err(IdentityError::Unknown(error)) if is_unreachable(&error) => {
            require_forgettable(operation.client(), &error, attempt)?;
            let (summary, detail) = forgotten(state, &error);
            operation.warn(summary, detail);
            Ok(None)
        }
        Err(error) => Err(error).context(attempt),
    }
}

/// Whether the cluster does not accept the credential, or gives it no right.
pub(super) fn is_refused(error: &ApiError) -> bool {
    let call = error.call();
    call.is_some_and(|call| call.is_refused_for("Unauthorized") || call.is_refused_for("Forbidden"))
}

/// Removes the namespace of the provider, and with it the service account and the rights with which it
/// works: the last call that it makes.
async fn remove_namespace(
    operation: &mut Operation<Client>,
    cluster: &Cluster,
    state: &ClusterModel,
    secrets: &ClusterSecrets<'_>,
    attempt: &str,
) -> Result<(), Diagnostics> {
    let name = &secrets.name;
    let kind = Kind::new("v1", "Namespace");
    let found = cluster.find(&kind, None, NAMESPACE, Detail::Metadata).await;
    let Some(found) = found.context(attempt)? else {
        return Ok(());
    };
    let owner = owner().context(attempt)?;
    if !owner.label.is_on(&found) {
        operation.warn(
            format!("The namespace {NAMESPACE} stays in the cluster {name}"),
            format!(
                "It does not carry the label {}={} any more. With it stays the service account of the provider, which has all rights in the cluster. Delete it if nothing else needs it: kubectl delete clusterrolebinding {}, kubectl delete serviceaccount -n {NAMESPACE} {}.",
                owner.label.key(),
                owner.label.value(),
                OWN_ACCOUNT.name,
                OWN_ACCOUNT.name
            ),
        );
        return Ok(());
    }
    let is_ours = |object: &Object| owner.label.is_on(object);
    let others = namespace_content(cluster, NAMESPACE, is_ours).await;
    let others = match others.context(attempt)? {
        Content::Nothing => None,
        Content::Objects { examples, .. } => {
            Some(examples.iter().map(ToString::to_string).collect())
        }
        Content::Unknown { apis } => Some(apis),
    };
    if let Some(others) = others {
        let others: Vec<String> = others;
        operation.warn(
            format!("The namespace {NAMESPACE} stays in the cluster {name}"),
            format!(
                "It holds, or may hold, what this provider has not made: {}. With it stays the service account of the provider. When the rest is gone, delete the namespace: kubectl delete namespace {NAMESPACE}.",
                others.join(", ")
            ),
        );
        return Ok(());
    }
    if has_own_account(state) {
        // After this the credential is of no use: a destroy that fails later must not ask the cluster again.
        secrets.mark_leaving().await?;
    }
    let reference = found.reference().clone();
    let uid = found.uid().unwrap_or_default().to_owned();
    let deleted = cluster
        .delete_own(&reference, &uid, &owner, GONE_TIMEOUT)
        .await;
    match deleted {
        // The account with which we ask is gone already.
        Err(error) if is_refused_afterwards(&error) => Ok(()),
        deleted => deleted.context(attempt),
    }
}

/// Whether the cluster refuses a look at the namespace, and not its deletion.
fn is_refused_afterwards(error: &DeleteObjectError) -> bool {
    let DeleteObjectFailure::Api(error) = &error.reason else {
        return false;
    };
    let is_look = |error: &ApiError| {
        let call = error.call();
        call.is_some_and(|call| call.call().method == Method::GET)
    };
    is_refused(error) && is_look(error)
}

/// Removes the auth mount of the cluster from Vault, if it is the cluster's.
pub(super) async fn remove_auth_mount(
    operation: &mut Operation<Client>,
    state: &ClusterModel,
    client: &Client,
) -> Result<(), Diagnostics> {
    let name = &state.name;
    if state.usage != "worker" {
        return Ok(());
    }
    let vault = client.vault()?;
    let mount = vault.auth_mount(name).await;
    let mount = mount.with_context(|| format!("look for auth/{name} in Vault"))?;
    let uid = state
        .cluster_uid
        .known()
        .map(String::as_str)
        .unwrap_or_default();
    match mount {
        Some(mount) if mount.description == description(uid) => {
            let disabled = vault.disable_auth(name).await;
            disabled.with_context(|| format!("remove auth/{name} from Vault"))
        }
        Some(mount) => {
            operation.warn(
                format!("auth/{name} stays in Vault"),
                format!(
                    "Its description is {:?}, which does not say that it is that of this cluster. Remove it by hand if nothing uses it (vault auth disable {name}).",
                    mount.description
                ),
            );
            Ok(())
        }
        None => Ok(()),
    }
}

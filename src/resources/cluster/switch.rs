//! A provider whose argument `reconciler` has changed: who makes the objects of a cluster that is in the state.
//!
//! The operators of Nautes take over namespaces and components as they are. What is the provider's own is removed: the
//! accounts, their rights and tokens, the facts, and the auth mount and the credential of runtimes in Vault.

use std::sync::Arc;

use kubernetes_apply::apply_set::ApplyOptions;
use kubernetes_apply::cluster::{Cluster, Detail};
use kubernetes_apply::object::Kind;
use nautes_model::EntityName;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::PlanOf;
use terraform_plugin::resource::{Operation, Planning, PrivateState};
use terraform_plugin::value::Tf;

use super::components::Installer;
use super::delete::{GONE_TIMEOUT, lock, remove_auth_mount};
use super::guard::runtimes_in;
use super::model::{ClusterModel, CredentialModel};
use super::resource::ClusterResource;
use super::runtime_access;
use super::setup::{base_objects, base_set, warnings_of_kept};
use super::stored::ClusterSecrets;
use super::tokens::Tokens;
use super::virtual_cluster::is_virtual;
use crate::client::{Client, Reconciler};
use crate::clusters::{FACTS, NAMESPACE, OWN_ACCOUNT, REVIEWER_ACCOUNT, owner};
use crate::components::Component;
use crate::diagnostics::Context as _;

/// The key in private data under which a cluster was applied last.
const KEY: &str = "reconciler";

/// Records who makes the objects of a cluster from now on.
pub(super) fn record(
    reconciler: Reconciler,
    private: &mut PrivateState,
) -> Result<(), Diagnostics> {
    let recorded = private.set(KEY, &reconciler);
    recorded.map_err(|error| Diagnostic::bug(error).into())
}

/// Returns who made the objects of a cluster when it was applied last; `None` after an import, and in states of older
/// versions.
pub(super) fn recorded(private: &PrivateState) -> Option<Reconciler> {
    private.get(KEY)
}

/// Returns whether somebody else made the objects of a cluster when it was applied last. Where that is not recorded, what
/// only the provider makes tells, as far as the state has it; the cluster itself decides at apply.
pub(super) fn is_switched(client: &Client, prior: &ClusterModel, private: &PrivateState) -> bool {
    let now = client.settings().reconciler;
    let credential = prior.credential.known();
    let has_own_account =
        credential.is_some_and(|credential| credential.kind == CredentialModel::SERVICE_ACCOUNT);
    let status = prior.component_status.known();
    let is_ours = has_own_account || status.is_some_and(|status| !status.is_empty());
    match recorded(private) {
        Some(recorded) => recorded != now,
        None => is_ours && now == Reconciler::Nautes,
    }
}

/// Returns whether a cluster has the provider's own objects: as it is recorded, or else as the cluster shows.
pub(super) async fn has_own_objects(
    cluster: &Cluster,
    private: &PrivateState,
    attempt: &str,
) -> Result<bool, Diagnostics> {
    if let Some(recorded) = recorded(private) {
        return Ok(recorded == Reconciler::Provider);
    }
    let label = owner().context(attempt)?.label;
    // A hand-over removes the facts before the account.
    for (kind, name) in [("ConfigMap", FACTS), ("ServiceAccount", OWN_ACCOUNT.name)] {
        let kind = Kind::new("v1", kind);
        let found = cluster.find(&kind, Some(NAMESPACE), name, Detail::Metadata);
        let found = found.await.context(attempt)?;
        if found.is_some_and(|found| label.is_on(&found)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Plans the update of a cluster whose objects somebody else makes from now on, and warns of what it does.
pub(super) fn plan(planning: &mut Planning<'_, ClusterResource>) -> Result<(), Diagnostics> {
    let (Some(client), Some(prior)) = (planning.client, &planning.prior) else {
        return Ok(());
    };
    if !is_switched(client, prior, &planning.private) {
        return Ok(());
    }
    let name = &prior.name;
    let (summary, detail) = match client.settings().reconciler {
        Reconciler::Nautes if is_virtual(prior) => return Err(virtual_cluster_stays(name)),
        Reconciler::Nautes => (
            format!("The operators of Nautes take over the cluster {name}"),
            format!(
                "With reconciler = \"nautes\" the next apply removes from it what is the provider's own: its service accounts with their rights and tokens and its facts, and from Vault auth/{name} and the credential of runtimes. Namespaces, components and workloads stay, and this provider neither upgrades nor removes them any more."
            ),
        ),
        Reconciler::Provider => (
            format!("This provider takes over the cluster {name} from the operators of Nautes"),
            "With reconciler = \"provider\" the next apply makes its own accounts and components in it. What exists there without the provider's label is an error that names it; nothing of the operators is changed.".to_owned(),
        ),
    };
    leave_open(&mut planning.planned, &planning.config, prior);
    planning.warn(summary, detail);
    Ok(())
}

/// Plans as unknown what depends on who makes the objects.
fn leave_open(
    planned: &mut PlanOf<ClusterModel>,
    config: &PlanOf<ClusterModel>,
    prior: &ClusterModel,
) {
    planned.component_status = Tf::Unknown;
    planned.kubernetes_version = Tf::Unknown;
    planned.manifest_path = Tf::Unknown;
    if prior.cluster_uid.is_null() && config.cluster_uid.is_null() {
        planned.cluster_uid = Tf::Unknown;
    }
    let addresses = &mut planned.addresses;
    addresses.entry_points = Tf::Unknown;
    addresses.webhook_tls_verifiable = Tf::Unknown;
    addresses.argocd_url = Tf::Unknown;
    addresses.tekton_url = Tf::Unknown;
    addresses.oauth_redirect_uris = Tf::Unknown;
    if config.addresses.webhook_base_url.is_null() {
        addresses.webhook_base_url = Tf::Unknown;
    }
}

fn virtual_cluster_stays(name: &str) -> Diagnostics {
    let detail = format!(
        "The operators would make another virtual cluster in the place of {name}, and what is in it would be lost. Nothing was changed. Destroy it with reconciler = \"provider\" first."
    );
    let summary = format!("The operators of Nautes cannot take over the virtual cluster {name}");
    Diagnostic::error(summary, detail).into()
}

/// Removes what is the provider's own from a cluster that the operators of Nautes take over. Returns whether it did: while
/// runtimes have objects there, their own removal needs it.
pub(super) async fn hand_over(
    operation: &mut Operation<Client>,
    name: &EntityName,
    cluster: &Arc<Cluster>,
    prior: &ClusterModel,
) -> Result<bool, Diagnostics> {
    let client = operation.client().clone();
    let attempt = format!("hand over the cluster {name} to the operators of Nautes");
    let lock = lock(cluster, name, &attempt).await?;
    let removal = Box::pin(remove_own_if_unused(
        operation, &client, name, cluster, prior, &attempt,
    ));
    let removed = match &lock {
        Some(lock) => lock.run(removal).await,
        None => removal.await,
    };
    if let Some(lock) = lock {
        lock.release().await;
    }
    removed
}

async fn remove_own_if_unused(
    operation: &mut Operation<Client>,
    client: &Client,
    name: &EntityName,
    cluster: &Arc<Cluster>,
    prior: &ClusterModel,
    attempt: &str,
) -> Result<bool, Diagnostics> {
    let kind = Kind::new("v1", "ConfigMap");
    let registries = cluster.list(&kind, Some(NAMESPACE), "", Detail::Full).await;
    let runtimes = runtimes_in(&registries.context(attempt)?);
    if !runtimes.is_empty() {
        operation.warn(
            format!("The cluster {name} still has the provider's own objects"),
            format!(
                "They stay until its runtimes have none any more: {}. Apply these with reconciler = \"nautes\", then apply again.",
                runtimes.join(", ")
            ),
        );
        return Ok(false);
    }
    remove_own(operation, client, name, cluster, prior, attempt).await?;
    Ok(true)
}

async fn remove_own(
    operation: &mut Operation<Client>,
    client: &Client,
    name: &EntityName,
    cluster: &Arc<Cluster>,
    prior: &ClusterModel,
    attempt: &str,
) -> Result<(), Diagnostics> {
    let secrets = ClusterSecrets::new(client, name)?;
    let uid = prior.cluster_uid.known().map(String::as_str);
    let (kept, policy) = runtime_access::remove(&secrets, uid, cluster, name).await?;
    for (summary, detail) in warnings_of_kept(name, &kept).into_iter().chain(policy) {
        operation.warn(summary, detail);
    }
    remove_auth_mount(operation, prior, client).await?;
    let tokens = |account| Tokens {
        cluster,
        cluster_name: name,
        account,
    };
    tokens(&REVIEWER_ACCOUNT).remove_all().await?;
    let objects = base_objects(cluster, prior, attempt).await?;
    let namespaces = objects
        .into_iter()
        .filter(|object| object.reference().kind.kind == "Namespace");
    let set = base_set(cluster)?;
    let applied = set
        .apply(namespaces.collect(), &ApplyOptions::default())
        .await;
    applied.context(attempt)?;
    remove_object(
        cluster,
        Kind::new("v1", "ConfigMap"),
        Some(NAMESPACE),
        &set.parent().name,
        attempt,
    )
    .await?;
    let installer = Installer {
        client,
        name,
        cluster,
        model: prior,
    };
    for component in Component::ALL {
        installer.release(component).await?;
    }
    let account = OWN_ACCOUNT.name;
    tokens(&OWN_ACCOUNT).remove_all().await?;
    let binding = Kind::new("rbac.authorization.k8s.io/v1", "ClusterRoleBinding");
    for (kind, namespace, name) in [
        (Kind::new("v1", "ConfigMap"), Some(NAMESPACE), FACTS),
        (binding, None, account),
        (Kind::new("v1", "ServiceAccount"), Some(NAMESPACE), account),
    ] {
        remove_object(cluster, kind, namespace, name, attempt).await?;
    }
    Ok(())
}

/// Removes an object that has the provider's label.
async fn remove_object(
    cluster: &Cluster,
    kind: Kind,
    namespace: Option<&str>,
    name: &str,
    attempt: &str,
) -> Result<(), Diagnostics> {
    let owner = owner().context(attempt)?;
    let found = cluster.find(&kind, namespace, name, Detail::Metadata).await;
    let found = found.context(attempt)?;
    let Some(found) = found.filter(|found| owner.label.is_on(found)) else {
        return Ok(());
    };
    let uid = found.uid().unwrap_or_default();
    let deleted = cluster
        .delete_own(found.reference(), uid, &owner, GONE_TIMEOUT)
        .await;
    deleted.context(attempt)
}

//! The life cycle of a cluster.

use std::collections::BTreeMap;

use nautes_model::entity::ClusterShape;
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::PlanOf;
use terraform_plugin::resource::{ImportTarget, Operation, Planning, Resource};
use terraform_plugin::value::{Known, Tf};

use super::access::connect_physical;
use super::addresses::private_address;
use super::answer::{self, Answer};
use super::components::{Installer, Manifests, Preparation, Selection};
use super::manifest_change::ManifestChange;
use super::model::{ClusterIdentity, ClusterModel, ComponentStatusModel};
use super::read::{TYPE_NAME, object_id};
use super::setup::{Setup, credential, expires_at, rotate_after};
use super::stored::ClusterSecrets;
use super::{delete, nautes, operators, plan, read, switch, virtual_cluster};
use crate::client::Client;
use crate::components::entry_points::primary_domain;
use crate::resources::references::entity_name;

/// `nautes_cluster`.
pub(crate) struct ClusterResource;

impl Resource for ClusterResource {
    type Client = Client;
    type State = ClusterModel;
    type Identity = ClusterIdentity;
    const TYPE_NAME: &'static str = TYPE_NAME;

    async fn create(
        &self,
        operation: &mut Operation<Client>,
        planned: ClusterModel,
    ) -> Result<ClusterModel, Diagnostics> {
        Box::pin(save(operation, None, planned)).await
    }

    async fn read(
        &self,
        operation: &mut Operation<Client>,
        state: ClusterModel,
    ) -> Result<Option<ClusterModel>, Diagnostics> {
        Box::pin(read::read(operation, state)).await.map(Some)
    }

    async fn update(
        &self,
        operation: &mut Operation<Client>,
        prior: ClusterModel,
        planned: ClusterModel,
    ) -> Result<ClusterModel, Diagnostics> {
        Box::pin(save(operation, Some(prior), planned)).await
    }

    async fn delete(
        &self,
        operation: &mut Operation<Client>,
        state: ClusterModel,
    ) -> Result<(), Diagnostics> {
        if operation.client().settings().nautes_reconciles() {
            return nautes::delete(operation, &state).await;
        }
        if virtual_cluster::is_virtual(&state) {
            return virtual_cluster::delete(operation, &state).await;
        }
        delete::delete(operation, &state).await
    }

    fn validate(&self, config: &PlanOf<ClusterModel>) -> Diagnostics {
        plan::validate(config)
    }

    async fn modify_plan(&self, planning: &mut Planning<'_, Self>) -> Result<(), Diagnostics> {
        plan::modify(planning)
    }

    async fn plan_delete(
        &self,
        operation: &mut Operation<Client>,
        state: ClusterModel,
    ) -> Result<(), Diagnostics> {
        answer::check_destroy(&state, &operation.private)?;
        let object = object_id(&entity_name("name", &state.name)?);
        let holders = operation.client().holders();
        holders.record_planned_deletion(&object, &operation.private)
    }

    fn identity(&self, state: &ClusterModel) -> Option<ClusterIdentity> {
        Some(ClusterIdentity {
            name: state.name.clone(),
        })
    }

    async fn import(
        &self,
        operation: &mut Operation<Client>,
        target: ImportTarget<ClusterIdentity>,
    ) -> Result<Option<ClusterModel>, Diagnostics> {
        let name = match target {
            ImportTarget::Id(name) => name,
            ImportTarget::Identity(identity) => identity.name,
        };
        let name = entity_name("name", &name)?;
        read::import(operation, &name).await
    }
}

/// Creates or updates a cluster's entry.
async fn save(
    operation: &mut Operation<Client>,
    prior: Option<ClusterModel>,
    mut planned: ClusterModel,
) -> Result<ClusterModel, Diagnostics> {
    let client = operation.client().clone();
    let name = entity_name("name", &planned.name)?;
    let change = ManifestChange::begin(operation, &client, &name, prior.as_ref(), &planned).await?;
    if client.settings().nautes_reconciles() {
        return nautes::save(operation, change, prior.as_ref(), planned).await;
    }
    operators::require_no_installation(&client, change.attempt()).await?;
    let cluster_shape = change.shape.clone();
    let selection = select(operation, &planned, prior.as_ref(), &cluster_shape)?;
    let secrets = ClusterSecrets::new(&client, &name)?;
    let manifests = Manifests::fetch(&client, &selection).await?;
    let (connection, uses_given) = if virtual_cluster::is_virtual(&planned) {
        let vcluster = virtual_cluster::resolve(&planned)?;
        let connection =
            virtual_cluster::install(&client, &name, prior.as_ref(), &planned, &vcluster).await?;
        planned.vcluster = Known(vcluster);
        (connection, true)
    } else {
        connect_physical(&client, prior.as_ref(), &planned, &secrets).await?
    };
    warn_of_new_uid(operation, &planned, prior.as_ref(), &connection.uid);
    operators::require_no_operators(&connection.cluster, &name).await?;
    let model = planned.clone();
    let installer = Installer {
        client: &client,
        name: &name,
        cluster: &connection.cluster,
        model: &model,
    };
    let addresses = installer.addresses(&cluster_shape).await?;
    planned.addresses.fill(addresses.attributes());
    let former_uid = prior.as_ref().and_then(|prior| prior.cluster_uid.known());
    let former_uid = former_uid.map(String::as_str);
    let setup = Setup {
        client: &client,
        name: &name,
        planned: &planned,
        connection: &connection,
        uses_given,
        former_uid,
        rotate_after: rotate_after(&planned)
            .filter(|_| prior.as_ref().is_some_and(is_rotation_due)),
        repairs: former_uid != Some(connection.uid.as_str())
            || prior.as_ref().is_none_or(|prior| !prior.drift.is_null()),
        components: selection.facts(
            planned.components.as_ref(),
            &addresses.gateway,
            &planned.addresses,
        ),
    };
    // All that may be refused comes before the first write.
    setup.check().await?;
    let preparation = installer.prepare(selection, manifests, &addresses).await?;
    let status = prior
        .as_ref()
        .and_then(|prior| prior.component_status.known());
    for (summary, detail) in installer.check(&preparation, status).await? {
        operation.warn(summary, detail);
    }
    let (lock, cluster) = setup.lock().await?;
    let work = async {
        // It may have waited for the lock: what refused nothing before is asked again.
        let installer = Installer {
            client: &client,
            name: &name,
            cluster: &cluster,
            model: &model,
        };
        installer.check(&preparation, status).await?;
        let prepared = setup.prepare(&lock, &cluster).await?;
        let installer = Installer {
            client: &client,
            name: &name,
            cluster: &prepared.cluster,
            model: &model,
        };
        let status = install(operation, &installer, preparation, prior.as_ref()).await?;
        let certificate = installer.certificate_warning(&addresses).await?;
        let completed = setup.complete(&prepared).await?;
        for (summary, detail) in certificate.into_iter().chain(completed) {
            operation.warn(summary, detail);
        }
        Ok((prepared.version, status))
    };
    let done = lock.run(Box::pin(work)).await;
    lock.release().await;
    let (version, status) = done?;
    planned.component_status = Known(status);
    warn_of_webhooks(operation, &planned, prior.as_ref()).await;

    planned.manifest_path = Known(change.commit(operation).await?);
    Answer::record(None, &mut operation.private)?;
    switch::record(client.settings().reconciler, &mut operation.private)?;
    planned.credential = Known(credential(
        &planned,
        expires_at(&planned, &connection.access),
        secrets.path.to_string(),
    ));
    planned.cluster_uid = Known(connection.uid);
    planned.kubernetes_version = Known(version);
    Ok(complete(planned))
}

/// Warns that the cluster counts as rebuilt, where the plan could not tell.
fn warn_of_new_uid(
    operation: &mut Operation<Client>,
    planned: &ClusterModel,
    prior: Option<&ClusterModel>,
    uid: &str,
) {
    if let Some(prior) = prior
        && planned.cluster_uid.is_unknown()
        && answer::counts_as_rebuilt(prior, uid)
    {
        let (summary, detail) = answer::rebuilt(prior);
        operation.warn(summary, detail);
    }
}

/// Fills in what follows from other attributes.
pub(super) fn complete(mut planned: ClusterModel) -> ClusterModel {
    planned.id = Known(planned.name.clone());
    planned.drift = Tf::Null;
    if planned.primary_domain.is_unknown() {
        planned.primary_domain = primary_domain(&planned.api_server).into();
    }
    planned
}

/// Selects the components of the cluster, and warns of those with known problems.
fn select(
    operation: &mut Operation<Client>,
    planned: &ClusterModel,
    prior: Option<&ClusterModel>,
    shape: &ClusterShape,
) -> Result<Selection, Diagnostics> {
    let status = prior.and_then(|prior| prior.component_status.known());
    let single_sign_on = operation.client().settings().oidc.is_some();
    let components = planned.components.as_ref();
    let selection = Selection::new(components, status, shape, single_sign_on)?;
    for (summary, detail) in selection.warnings() {
        operation.warn(summary, detail);
    }
    Ok(selection)
}

/// Warns of hooks that GitLab would not deliver, when the address of webhooks is new.
async fn warn_of_webhooks(
    operation: &mut Operation<Client>,
    planned: &ClusterModel,
    prior: Option<&ClusterModel>,
) {
    let (new, old) = (&planned.addresses, prior.map(|prior| &prior.addresses));
    let Known(url) = &new.webhook_base_url else {
        return;
    };
    let is_new = old.is_none_or(|old| {
        old.webhook_base_url != new.webhook_base_url
            || old.webhook_tls_verifiable != new.webhook_tls_verifiable
    });
    if !is_new {
        return;
    }
    if new.webhook_tls_verifiable == Known(false) {
        operation.warn(
            "GitLab cannot verify the certificate of the gateway",
            format!(
                "The gateway shows a certificate of its own making at {url}, so hooks are delivered only without verification. Set components.gateway.tls_secret to a Secret with a certificate for the hosts of the cluster, or components.gateway.cluster_issuer to a ClusterIssuer of cert-manager."
            ),
        );
    }
    if let Some(address) = private_address(url).await {
        operation.warn(
            "GitLab may refuse hooks to a private address",
            format!(
                "{url} leads to {address}, which is private. GitLab refuses such hooks unless its administrator allows them (Admin area, Settings, Network, Outbound requests)."
            ),
        );
    }
}

/// Installs the components. If that fails half-way, the state has what is installed.
async fn install(
    operation: &mut Operation<Client>,
    installer: &Installer<'_>,
    preparation: Preparation,
    prior: Option<&ClusterModel>,
) -> Result<BTreeMap<String, ComponentStatusModel>, Diagnostics> {
    let known = prior.and_then(|prior| prior.component_status.known());
    let mut status = known.cloned().unwrap_or_default();
    let mut warnings = Vec::new();
    let installed = installer.install(preparation, &mut status, &mut warnings);
    let installed = installed.await;
    for (summary, detail) in warnings {
        operation.warn(summary, detail);
    }
    if let (Err(_), Some(prior)) = (&installed, prior) {
        operation.record(&ClusterModel {
            component_status: Known(status.clone()),
            ..prior.clone()
        });
    }
    installed.map(|()| status)
}

/// Whether the last refresh found that the token of the provider's service account is too old.
pub(super) fn is_rotation_due(state: &ClusterModel) -> bool {
    let credential = state.credential.known();
    credential.is_some_and(|credential| credential.rotation_due == Known(true))
}

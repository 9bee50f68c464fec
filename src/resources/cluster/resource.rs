//! The life cycle of a cluster.

use std::collections::BTreeMap;

use nautes_model::entity::{ClusterShape, ClusterType, Entity};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::PlanOf;
use terraform_plugin::resource::{ImportTarget, Operation, Planning, Resource};
use terraform_plugin::value::{Known, Path, Tf};

use super::access::{connect, given_kubeconfig, no_kubeconfig};
use super::components::{self, Installer, Wanted};
use super::model::{ClusterIdentity, ClusterModel, ComponentStatusModel};
use super::read::{TYPE_NAME, object_id};
use super::setup::{Setup, credential, rotate_after};
use super::stored::ClusterSecrets;
use super::{delete, manifest, plan, read};
use crate::claim::Claim;
use crate::client::Client;
use crate::components::entry_points::primary_domain;
use crate::config_repo::PutMode;
use crate::resources::home::{Home, ManifestLocation};
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
        read::read(operation, state).await
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
    let verb = if prior.is_some() { "update" } else { "create" };
    let attempt = format!("{verb} the cluster {name}");
    let claim = Claim::load_or_store(&mut operation.private)?;
    let object = object_id(&name);
    let cluster = manifest::entity(&planned)?;
    if cluster.shape.cluster_type() == ClusterType::Virtual {
        let detail = "Virtual clusters are not made by this version.";
        return Err(Diagnostic::error(format!("Cannot {attempt}"), detail)
            .at(&Path::to("cluster_type"))
            .into());
    }
    let cluster_shape = cluster.shape.clone();
    let entity = Entity::from(cluster);
    let location = ManifestLocation::load(&operation.private);
    let mode = match &prior {
        None => PutMode::Create,
        Some(_) => PutMode::Update(location.as_ref().map(|known| known.verified.clone())),
    };
    let home = Home::tenant(&client)
        .at(location)
        .with_claim(Some(claim.clone()));
    let request = home.begin(entity.key());
    let validation = planned.validation(&client);
    match &prior {
        None => drop(
            home.dry_run(&request, &entity, validation, &attempt)
                .await?,
        ),
        Some(_) => client.holders().record(&object, &claim)?,
    }

    let wanted = wanted(operation, &planned, prior.as_ref(), &cluster_shape)?;
    let secrets = ClusterSecrets::new(&client, &name)?;
    let given = given_kubeconfig(&client, &planned).await?;
    let uses_given = prior.as_ref().is_none_or(|prior| {
        prior.kubeconfig_wo_version != planned.kubeconfig_wo_version
            || prior.kubeconfig_vault != planned.kubeconfig_vault
    });
    let given = given.filter(|_| uses_given);
    let uses_given = given.is_some();
    let kubeconfig = match given {
        Some(given) => given,
        None => match secrets.read().await? {
            Some(stored) => stored.kubeconfig,
            None => return Err(no_kubeconfig(&planned.name)),
        },
    };
    let connection = connect(&planned, kubeconfig).await?;
    let setup = Setup {
        client: &client,
        name: &name,
        planned: &planned,
        connection: &connection,
        uses_given,
        rotate_after: rotate_after(&planned)
            .filter(|_| prior.as_ref().is_some_and(is_rotation_due)),
        repairs: prior.as_ref().is_none_or(|prior| !prior.drift.is_null()),
    };
    setup.check().await?;
    let (lock, cluster) = setup.lock().await?;
    let work = async {
        let prepared = setup.prepare(&lock, &cluster).await?;
        let installer = Installer {
            client: &client,
            name: &name,
            cluster: &prepared.cluster,
        };
        let status = install(operation, installer, &wanted, prior.as_ref()).await?;
        for (summary, detail) in setup.complete(&prepared).await? {
            operation.warn(summary, detail);
        }
        Ok((prepared.version, status))
    };
    let done = lock.run(Box::pin(work)).await;
    lock.release().await;
    let (version, status) = done?;
    planned.component_status = Known(status);

    let saved = home
        .put(&request, &entity, mode, validation, &attempt)
        .await?;
    drop(request);
    saved.location.store(&mut operation.private)?;
    if prior.is_none() {
        client.holders().record_created(&object, &claim)?;
    }
    planned.credential = Known(credential(&planned, secrets.path.to_string()));
    planned.cluster_uid = Known(connection.uid);
    planned.id = Known(name.to_string());
    planned.kubernetes_version = Known(version);
    planned.manifest_path = Known(saved.path);
    planned.drift = Tf::Null;
    if planned.primary_domain.is_unknown() {
        planned.primary_domain = primary_domain(&planned.api_server).into();
    }
    Ok(planned)
}

/// Returns the components that the cluster is to have, after warnings about those with known problems.
fn wanted(
    operation: &mut Operation<Client>,
    planned: &ClusterModel,
    prior: Option<&ClusterModel>,
    shape: &ClusterShape,
) -> Result<Vec<Wanted>, Diagnostics> {
    let status = prior.and_then(|prior| prior.component_status.known());
    let wanted = components::wanted(planned.components.as_ref(), status, shape)?;
    for (summary, detail) in wanted.iter().flat_map(Wanted::warnings) {
        operation.warn(summary, detail);
    }
    Ok(wanted)
}

/// Installs the components. If that fails half-way, the state has what is installed.
async fn install(
    operation: &mut Operation<Client>,
    installer: Installer<'_>,
    wanted: &[Wanted],
    prior: Option<&ClusterModel>,
) -> Result<BTreeMap<String, ComponentStatusModel>, Diagnostics> {
    let known = prior.and_then(|prior| prior.component_status.known());
    let mut status = known.cloned().unwrap_or_default();
    let installed = installer.install(wanted, &mut status).await;
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

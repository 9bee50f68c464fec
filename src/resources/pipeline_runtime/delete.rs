//! The deletion of a pipeline runtime: the hooks in GitLab, what is in the cluster and in Vault, and then the manifest.

use nautes_model::reference::EntityId;
use nautes_model::{EntityKey, Kind};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::resource::Operation;

use super::hooks::KnownHooks;
use super::model::PipelineRuntimeModel;
use super::read::object_id;
use super::references::Meanings;
use super::save::existing;
use crate::claim::{Claim, Deletion};
use crate::client::Client;
use crate::config_repo::Validation;
use crate::error_chain::sentence;
use crate::lookup::WorkerError;
use crate::resources::home::{Home, ManifestLocation};
use crate::resources::references::entity_name;

/// Deletes a runtime; what is gone already is deleted already.
///
/// The manifest goes last: as long as it is there, nobody removes the environment and with it the cluster.
pub(super) async fn delete(
    operation: &mut Operation<Client>,
    state: &PipelineRuntimeModel,
) -> Result<(), Diagnostics> {
    let client = operation.client().clone();
    let EntityId { product, name } = state.entity_id()?;
    let attempt = format!("delete the pipeline runtime {name}");
    let key = EntityKey::new(Kind::PipelineRuntime, name.clone());
    let object = object_id(product, &name);
    let claim = Claim::load(&operation.private);
    if client.holders().judge_deletion(&object, claim.as_ref())? == Deletion::OfAnother {
        return Ok(());
    }
    let home = Home::product(&client, product).at(ManifestLocation::load(&operation.private));
    let home = home.with_claim(claim);
    let request = home.begin(key.clone());
    let validation = if operation.is_replacement() {
        Validation::Skip
    } else {
        state.common.validation(&client)
    };
    home.check_deletion(&request, &key, validation, &attempt)
        .await?;
    if let (false, Some(cluster)) = (client.settings().nautes_reconciles(), state.cluster.known()) {
        let cluster = entity_name("cluster", cluster)?;
        match client.worker(&cluster).await {
            Ok(_) => {
                client.require_vault().await?;
                let meanings = Meanings::load(&operation.private);
                let known = KnownHooks::load(&operation.private);
                let pipeline = existing(&client, &cluster, state, product, &meanings).await?;
                pipeline.remove(&known).await?;
            }
            Err(WorkerError::Unreachable { name, error })
                if client.settings().forgets_unreachable_clusters =>
            {
                let summary = format!("The cluster {name} cannot be reached and was forgotten");
                let detail = format!(
                    "{} The manifest is deleted; what the runtime has in the cluster, its role in Vault and its hooks in GitLab stay.",
                    sentence(&error)
                );
                operation.warn(summary, detail);
            }
            Err(error) => return Err(error.into()),
        }
    }
    home.delete(&request, &key, validation, &attempt).await?;
    client.holders().release(&object);
    Ok(())
}

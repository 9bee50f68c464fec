//! The life cycle of a pipeline runtime.

use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::resource::{ImportTarget, Operation, Planning, Resource};

use super::model::PipelineRuntimeModel;
use super::read::{self, TYPE_NAME, object_id};
use super::{delete, plan, save};
use crate::client::Client;
use crate::resources::manifest::EntityIdentity;

/// `nautes_pipeline_runtime`.
pub(crate) struct PipelineRuntimeResource;

impl Resource for PipelineRuntimeResource {
    type Client = Client;
    type State = PipelineRuntimeModel;
    type Identity = EntityIdentity;
    const TYPE_NAME: &'static str = TYPE_NAME;

    async fn create(
        &self,
        operation: &mut Operation<Client>,
        planned: PipelineRuntimeModel,
    ) -> Result<PipelineRuntimeModel, Diagnostics> {
        Box::pin(save::create(operation, planned)).await
    }

    async fn read(
        &self,
        operation: &mut Operation<Client>,
        state: PipelineRuntimeModel,
    ) -> Result<Option<PipelineRuntimeModel>, Diagnostics> {
        Box::pin(read::read(operation, state)).await
    }

    async fn update(
        &self,
        operation: &mut Operation<Client>,
        prior: PipelineRuntimeModel,
        planned: PipelineRuntimeModel,
    ) -> Result<PipelineRuntimeModel, Diagnostics> {
        Box::pin(save::update(operation, &prior, planned)).await
    }

    async fn delete(
        &self,
        operation: &mut Operation<Client>,
        state: PipelineRuntimeModel,
    ) -> Result<(), Diagnostics> {
        Box::pin(delete::delete(operation, &state)).await
    }

    async fn modify_plan(&self, planning: &mut Planning<'_, Self>) -> Result<(), Diagnostics> {
        plan::modify(planning).await
    }

    async fn plan_delete(
        &self,
        operation: &mut Operation<Client>,
        state: PipelineRuntimeModel,
    ) -> Result<(), Diagnostics> {
        let id = state.entity_id()?;
        let object = object_id(id.product, &id.name);
        let holders = operation.client().holders();
        holders.record_planned_deletion(&object, &operation.private)
    }

    fn identity(&self, state: &PipelineRuntimeModel) -> Option<EntityIdentity> {
        let id = state.entity_id().ok()?;
        Some(EntityIdentity {
            product_id: id.product.to_string(),
            name: id.name.to_string(),
        })
    }

    async fn import(
        &self,
        operation: &mut Operation<Client>,
        target: ImportTarget<EntityIdentity>,
    ) -> Result<Option<PipelineRuntimeModel>, Diagnostics> {
        Box::pin(read::import(operation, target)).await
    }
}

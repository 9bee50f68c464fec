//! Resources without their types, as the dispatch holds them.

use std::sync::Arc;

use async_trait::async_trait;

use super::timeouts::Timed;
use super::{
    DefaultTimeouts, ImportTarget, Limits, Operation, PlanKind, Planning, PrivateState, Resource,
    StoredState,
};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::model::{Model, PlanOf};
use crate::schema::Schema;
use crate::value::{Convert, Path, Type, Value};

/// What the author's part of a plan gets and gives back, as values.
pub(crate) struct PlanRequest<'a, C> {
    pub(crate) kind: PlanKind,
    pub(crate) client: Option<&'a Arc<C>>,
    pub(crate) config: &'a Value,
    pub(crate) prior: &'a Value,
    pub(crate) planned: Value,
    pub(crate) replace: Vec<Path>,
    pub(crate) private: PrivateState,
    pub(crate) warnings: Diagnostics,
}

#[async_trait]
pub(crate) trait ErasedResource<C>: Send + Sync {
    fn schema(&self) -> &Schema;
    fn value_type(&self) -> &Type;
    /// The identity's schema; `None` when the resource has no identity.
    fn identity_schema(&self) -> Option<&Schema>;
    fn identity_type(&self) -> &Type;
    fn timeouts(&self) -> DefaultTimeouts;
    fn validate(&self, config: &Value) -> Result<Diagnostics, Diagnostics>;
    async fn modify_plan(&self, request: &mut PlanRequest<'_, C>) -> Result<(), Diagnostics>;
    async fn plan_delete(
        &self,
        operation: &mut Operation<C>,
        state: &Value,
    ) -> Result<(), Diagnostics>;
    async fn create(
        &self,
        operation: &mut Operation<C>,
        planned: &Value,
    ) -> Result<Value, Diagnostics>;
    async fn read(
        &self,
        operation: &mut Operation<C>,
        state: &Value,
    ) -> Result<Option<Value>, Diagnostics>;
    async fn update(
        &self,
        operation: &mut Operation<C>,
        prior: &Value,
        planned: &Value,
    ) -> Result<Value, Diagnostics>;
    async fn delete(&self, operation: &mut Operation<C>, state: &Value) -> Result<(), Diagnostics>;
    async fn import(
        &self,
        operation: &mut Operation<C>,
        target: ImportTarget<Value>,
    ) -> Result<Option<Value>, Diagnostics>;
    fn identity(&self, state: &Value) -> Option<Value>;
    fn upgrade(&self, stored: &StoredState<'_>) -> Result<Value, Diagnostics>;
    fn move_from(
        &self,
        source_type: &str,
        stored: &StoredState<'_>,
    ) -> Option<Result<Value, Diagnostics>>;
}

impl<C> dyn ErasedResource<C> + '_ {
    /// Returns the limits of an operation on an object.
    pub(crate) fn limits(
        &self,
        timed: Timed,
        object: &Value,
        interrupted: tokio_util::sync::CancellationToken,
    ) -> Limits {
        Limits {
            what: timed.name(),
            timeout: self.timeouts().limit(timed, object),
            interrupted,
        }
    }
}

/// A resource with what is derived from its types once.
pub(crate) struct Registered<R> {
    resource: R,
    schema: Schema,
    value_type: Type,
    identity_schema: Option<Schema>,
    identity_type: Type,
}

impl<R: Resource> Registered<R> {
    pub(crate) fn new(resource: R) -> Self {
        let schema = Schema {
            version: R::VERSION,
            ..R::State::schema()
        };
        let identity_schema = R::Identity::schema();
        Self {
            resource,
            value_type: schema.value_type(),
            schema,
            identity_type: identity_schema.value_type(),
            identity_schema: (!identity_schema.attributes.is_empty()).then_some(identity_schema),
        }
    }
}

fn typed<T: Convert>(value: &Value) -> Result<T, Diagnostics> {
    T::from_value(value, &Path::root()).map_err(Diagnostics::from)
}

#[async_trait]
impl<R: Resource> ErasedResource<R::Client> for Registered<R> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn value_type(&self) -> &Type {
        &self.value_type
    }

    fn identity_schema(&self) -> Option<&Schema> {
        self.identity_schema.as_ref()
    }

    fn identity_type(&self) -> &Type {
        &self.identity_type
    }

    fn timeouts(&self) -> DefaultTimeouts {
        R::TIMEOUTS
    }

    fn validate(&self, config: &Value) -> Result<Diagnostics, Diagnostics> {
        Ok(self.resource.validate(&typed::<PlanOf<R::State>>(config)?))
    }

    async fn modify_plan(
        &self,
        request: &mut PlanRequest<'_, R::Client>,
    ) -> Result<(), Diagnostics> {
        let mut planning = Planning::<'_, R> {
            kind: request.kind,
            client: request.client,
            config: typed(request.config)?,
            prior: typed(request.prior)?,
            planned: typed(&request.planned)?,
            private: std::mem::take(&mut request.private),
            replace: std::mem::take(&mut request.replace),
            warnings: Diagnostics::default(),
        };
        let result = self.resource.modify_plan(&mut planning).await;
        request.planned = planning.planned.to_value();
        request.private = planning.private;
        request.replace = planning.replace;
        request.warnings.extend(planning.warnings);
        result
    }

    async fn plan_delete(
        &self,
        operation: &mut Operation<R::Client>,
        state: &Value,
    ) -> Result<(), Diagnostics> {
        self.resource.plan_delete(operation, typed(state)?).await
    }

    async fn create(
        &self,
        operation: &mut Operation<R::Client>,
        planned: &Value,
    ) -> Result<Value, Diagnostics> {
        let created = self.resource.create(operation, typed(planned)?).await?;
        Ok(created.to_value())
    }

    async fn read(
        &self,
        operation: &mut Operation<R::Client>,
        state: &Value,
    ) -> Result<Option<Value>, Diagnostics> {
        let read = self.resource.read(operation, typed(state)?).await?;
        Ok(read.map(|state| state.to_value()))
    }

    async fn update(
        &self,
        operation: &mut Operation<R::Client>,
        prior: &Value,
        planned: &Value,
    ) -> Result<Value, Diagnostics> {
        let updated = self
            .resource
            .update(operation, typed(prior)?, typed(planned)?)
            .await?;
        Ok(updated.to_value())
    }

    async fn delete(
        &self,
        operation: &mut Operation<R::Client>,
        state: &Value,
    ) -> Result<(), Diagnostics> {
        self.resource.delete(operation, typed(state)?).await
    }

    async fn import(
        &self,
        operation: &mut Operation<R::Client>,
        target: ImportTarget<Value>,
    ) -> Result<Option<Value>, Diagnostics> {
        let target = match target {
            ImportTarget::Id(id) => ImportTarget::Id(id),
            ImportTarget::Identity(identity) => ImportTarget::Identity(typed(&identity)?),
        };
        let imported = self.resource.import(operation, target).await?;
        Ok(imported.map(|state| state.to_value()))
    }

    fn identity(&self, state: &Value) -> Option<Value> {
        self.identity_schema.as_ref()?;
        let state = R::State::from_value(state, &Path::root()).ok()?;
        self.resource
            .identity(&state)
            .map(|identity| identity.to_value())
    }

    fn upgrade(&self, stored: &StoredState<'_>) -> Result<Value, Diagnostics> {
        if stored.version != R::VERSION {
            return self.resource.upgrade(stored).map(|state| state.to_value());
        }
        stored.read(&self.value_type).map_err(|error| {
            Diagnostic::error(
                format!("State of {} cannot be read", R::TYPE_NAME),
                format!("{error}. The state may have been edited by hand; restore a backup of it."),
            )
            .into()
        })
    }

    fn move_from(
        &self,
        source_type: &str,
        stored: &StoredState<'_>,
    ) -> Option<Result<Value, Diagnostics>> {
        let moved = self.resource.move_from(source_type, stored)?;
        Some(moved.map(|state| state.to_value()))
    }
}

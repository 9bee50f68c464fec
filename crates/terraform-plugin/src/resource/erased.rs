//! Resources without their types, as the service stores them.

use std::sync::Arc;

use async_trait::async_trait;

use super::timeouts::OperationKind;
use super::{
    DefaultTimeouts, ImportTarget, Limits, Operation, PlanKind, Planning, PrivateState, Resource,
    StoredState,
};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::model::{Model, PlanOf};
use crate::schema::Schema;
use crate::value::{Convert, JsonError, Path, Type, Value};

/// The input and output of [`Resource::modify_plan`], as values.
pub(crate) struct PlanRequest<'a, C> {
    pub(crate) kind: PlanKind,
    pub(crate) client: Option<&'a Arc<C>>,
    pub(crate) config: &'a Value,
    pub(crate) prior: &'a Value,
    pub(crate) planned: Value,
    pub(crate) replace: Vec<Path>,
    pub(crate) private: PrivateState,
    pub(crate) replaced: Option<PrivateState>,
    pub(crate) warnings: Diagnostics,
}

#[async_trait]
pub(crate) trait ErasedResource<C>: Send + Sync {
    fn schema(&self) -> &Schema;
    fn value_type(&self) -> &Type;
    /// Returns the identity schema, or `None` if the resource has no identity.
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
    fn identity_may_change(&self) -> bool;
    fn upgrade_identity(&self, stored: &StoredState<'_>) -> Result<Value, Diagnostics>;
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
        operation_kind: OperationKind,
        object: &Value,
        interrupted: tokio_util::sync::CancellationToken,
    ) -> Limits {
        Limits {
            operation: operation_kind.name(),
            timeout: self.timeouts().limit(operation_kind, object),
            interrupted,
        }
    }
}

/// A resource with the schemas and types derived from it.
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
        let identity_schema = Schema {
            version: R::IDENTITY_VERSION,
            ..R::Identity::schema()
        };
        Self {
            resource,
            value_type: schema.value_type(),
            schema,
            identity_type: identity_schema.value_type(),
            identity_schema: (!identity_schema.attributes.is_empty()).then_some(identity_schema),
        }
    }
}

fn unreadable(subject: &str, error: &JsonError) -> Diagnostics {
    let detail = format!("{error}. If the state was edited by hand, restore a backup.");
    Diagnostic::error(format!("Cannot read {subject}"), detail).into()
}

fn convert<T: Convert>(value: &Value) -> Result<T, Diagnostics> {
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
        Ok(self
            .resource
            .validate(&convert::<PlanOf<R::State>>(config)?))
    }

    async fn modify_plan(
        &self,
        request: &mut PlanRequest<'_, R::Client>,
    ) -> Result<(), Diagnostics> {
        let mut planning = Planning::<'_, R> {
            kind: request.kind,
            client: request.client,
            config: convert(request.config)?,
            prior: convert(request.prior)?,
            planned: convert(&request.planned)?,
            private: std::mem::take(&mut request.private),
            replaced: request.replaced.clone(),
            replace: std::mem::take(&mut request.replace),
            warnings: &mut request.warnings,
        };
        let result = self.resource.modify_plan(&mut planning).await;
        request.planned = planning.planned.to_value();
        request.private = planning.private;
        request.replace = planning.replace;
        result
    }

    async fn plan_delete(
        &self,
        operation: &mut Operation<R::Client>,
        state: &Value,
    ) -> Result<(), Diagnostics> {
        self.resource.plan_delete(operation, convert(state)?).await
    }

    async fn create(
        &self,
        operation: &mut Operation<R::Client>,
        planned: &Value,
    ) -> Result<Value, Diagnostics> {
        let created = self.resource.create(operation, convert(planned)?).await?;
        Ok(created.to_value())
    }

    async fn read(
        &self,
        operation: &mut Operation<R::Client>,
        state: &Value,
    ) -> Result<Option<Value>, Diagnostics> {
        let read = self.resource.read(operation, convert(state)?).await?;
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
            .update(operation, convert(prior)?, convert(planned)?)
            .await?;
        Ok(updated.to_value())
    }

    async fn delete(
        &self,
        operation: &mut Operation<R::Client>,
        state: &Value,
    ) -> Result<(), Diagnostics> {
        self.resource.delete(operation, convert(state)?).await
    }

    async fn import(
        &self,
        operation: &mut Operation<R::Client>,
        target: ImportTarget<Value>,
    ) -> Result<Option<Value>, Diagnostics> {
        let target = match target {
            ImportTarget::Id(id) => ImportTarget::Id(id),
            ImportTarget::Identity(identity) => ImportTarget::Identity(convert(&identity)?),
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

    fn identity_may_change(&self) -> bool {
        R::IDENTITY_MAY_CHANGE
    }

    fn upgrade_identity(&self, stored: &StoredState<'_>) -> Result<Value, Diagnostics> {
        if stored.version != R::IDENTITY_VERSION {
            let upgraded = self.resource.upgrade_identity(stored)?;
            return Ok(upgraded.to_value());
        }
        stored
            .read(&self.identity_type)
            .map_err(|error| unreadable(&format!("the identity of {}", R::TYPE_NAME), &error))
    }

    fn upgrade(&self, stored: &StoredState<'_>) -> Result<Value, Diagnostics> {
        if stored.version != R::VERSION {
            return self.resource.upgrade(stored).map(|state| state.to_value());
        }
        stored
            .read(&self.value_type)
            .map_err(|error| unreadable(&format!("the state of {}", R::TYPE_NAME), &error))
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

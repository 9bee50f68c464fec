//! Ephemeral resources: values that exist only during a run and are never stored, such as short-lived credentials.

use std::future::{Future, ready};
use std::time::SystemTime;

use async_trait::async_trait;

use crate::context::Context;
use crate::diagnostics::Diagnostics;
use crate::model::{Model, PlanOf};
pub use crate::resource::PrivateState;
use crate::schema::Schema;
use crate::value::{Convert, Path, Type, Value};

/// A kind of ephemeral resource.
///
/// Terraform opens it in every phase that needs its values, including the plan, renews it during the phase, and closes
/// it at the end.
pub trait EphemeralResource: Send + Sync + 'static {
    /// The client that the provider's configuration produced.
    type Client: Send + Sync + 'static;
    /// The arguments and results.
    type Data: Model;

    /// The type name, with the provider's prefix.
    const TYPE_NAME: &'static str;

    /// Validates a configuration beyond its schema, without network access.
    fn validate(&self, config: &PlanOf<Self::Data>) -> Diagnostics {
        let _ = config;
        Diagnostics::default()
    }

    /// Creates or fetches the values.
    ///
    /// In `arguments`, computed fields are unknown and defaults are applied. In the result every field is known, and
    /// configured values are unchanged.
    fn open(
        &self,
        context: &mut Context<Self::Client>,
        arguments: Self::Data,
    ) -> impl Future<Output = Result<Opened<Self::Data>, Diagnostics>> + Send;

    /// Extends the lifetime of the values. Called at [`Lease::renew_at`].
    fn renew(
        &self,
        context: &mut Context<Self::Client>,
        private: PrivateState,
    ) -> impl Future<Output = Result<Lease, Diagnostics>> + Send {
        let _ = context;
        let renew_at = None;
        ready(Ok(Lease { private, renew_at }))
    }

    /// Revokes or discards the values. Called also after an interrupt.
    fn close(
        &self,
        context: &mut Context<Self::Client>,
        private: PrivateState,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send {
        let _ = (context, private);
        ready(Ok(()))
    }
}

/// An open ephemeral resource.
#[derive(Debug, Clone)]
pub struct Opened<D> {
    /// The arguments and results.
    pub data: D,
    /// The lifetime of the values and the private state.
    pub lease: Lease,
}

/// The lifetime and private state of an open ephemeral resource.
#[derive(Debug, Clone, Default)]
pub struct Lease {
    /// The private state for renewing and closing. Terraform never stores it.
    pub private: PrivateState,
    /// When to renew the values, or `None` if they outlast any run.
    pub renew_at: Option<SystemTime>,
}

impl<D> From<D> for Opened<D> {
    /// Returns values that outlast any run, without private state.
    fn from(data: D) -> Self {
        let lease = Lease::default();
        Self { data, lease }
    }
}

#[async_trait]
pub(crate) trait ErasedEphemeralResource<C>: Send + Sync {
    fn schema(&self) -> &Schema;
    fn value_type(&self) -> &Type;
    fn validate(&self, config: &Value) -> Result<Diagnostics, Diagnostics>;
    async fn open(
        &self,
        context: &mut Context<C>,
        arguments: &Value,
    ) -> Result<Opened<Value>, Diagnostics>;
    async fn renew(
        &self,
        context: &mut Context<C>,
        private: PrivateState,
    ) -> Result<Lease, Diagnostics>;
    async fn close(
        &self,
        context: &mut Context<C>,
        private: PrivateState,
    ) -> Result<(), Diagnostics>;
}

pub(crate) struct Registered<E> {
    ephemeral_resource: E,
    schema: Schema,
    value_type: Type,
}

impl<E: EphemeralResource> Registered<E> {
    pub(crate) fn new(ephemeral_resource: E) -> Self {
        let schema = E::Data::schema();
        Self {
            ephemeral_resource,
            value_type: schema.value_type(),
            schema,
        }
    }
}

#[async_trait]
impl<E: EphemeralResource> ErasedEphemeralResource<E::Client> for Registered<E> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn value_type(&self) -> &Type {
        &self.value_type
    }

    fn validate(&self, config: &Value) -> Result<Diagnostics, Diagnostics> {
        let config = PlanOf::<E::Data>::from_value(config, &Path::root())?;
        Ok(self.ephemeral_resource.validate(&config))
    }

    async fn open(
        &self,
        context: &mut Context<E::Client>,
        arguments: &Value,
    ) -> Result<Opened<Value>, Diagnostics> {
        let arguments = E::Data::from_value(arguments, &Path::root())?;
        let Opened { data, lease } = self.ephemeral_resource.open(context, arguments).await?;
        let data = data.to_value();
        Ok(Opened { data, lease })
    }

    async fn renew(
        &self,
        context: &mut Context<E::Client>,
        private: PrivateState,
    ) -> Result<Lease, Diagnostics> {
        self.ephemeral_resource.renew(context, private).await
    }

    async fn close(
        &self,
        context: &mut Context<E::Client>,
        private: PrivateState,
    ) -> Result<(), Diagnostics> {
        self.ephemeral_resource.close(context, private).await
    }
}

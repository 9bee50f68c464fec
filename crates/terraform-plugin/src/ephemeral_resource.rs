//! Ephemeral resources: values that live as long as a run and are stored nowhere, such as short-lived credentials.

use std::future::{Future, ready};
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;

use crate::diagnostics::Diagnostics;
use crate::model::{Model, PlanOf};
pub use crate::resource::PrivateState;
use crate::schema::Schema;
use crate::value::{Convert, Path, Type, Value};

/// A kind of ephemeral resource.
///
/// Terraform opens it in every phase that needs its values, the plan included, renews it while the phase lasts, and
/// closes it at the end.
pub trait EphemeralResource: Send + Sync + 'static {
    /// What the provider made of its configuration.
    type Client: Send + Sync + 'static;
    /// Arguments and results.
    type Data: Model;

    /// The type name with the provider's prefix.
    const TYPE_NAME: &'static str;

    /// Checks a configuration beyond what the schema says, without the network.
    fn validate(&self, config: &PlanOf<Self::Data>) -> Diagnostics {
        let _ = config;
        Diagnostics::default()
    }

    /// Makes or fetches the values.
    ///
    /// In the arguments, computed fields are unknown and those left out have their defaults; in the answer every field
    /// is known, and what the user set is as the user wrote it.
    fn open(
        &self,
        client: &Arc<Self::Client>,
        arguments: Self::Data,
    ) -> impl Future<Output = Result<Opened<Self::Data>, Diagnostics>> + Send;

    /// Makes the values last longer; called at [`Lease::renew_at`].
    fn renew(
        &self,
        client: &Arc<Self::Client>,
        private: PrivateState,
    ) -> impl Future<Output = Result<Lease, Diagnostics>> + Send {
        let _ = client;
        let renew_at = None;
        ready(Ok(Lease { private, renew_at }))
    }

    /// Revokes or forgets the values; called also after the user interrupted the run.
    fn close(
        &self,
        client: &Arc<Self::Client>,
        private: PrivateState,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send {
        let _ = (client, private);
        ready(Ok(()))
    }
}

/// An ephemeral resource that is open.
#[derive(Debug, Clone)]
pub struct Opened<D> {
    /// Arguments and results.
    pub data: D,
    /// How long they last, and what renewing and closing need to know.
    pub lease: Lease,
}

/// What there is to know about an open ephemeral resource beside its values.
#[derive(Debug, Clone, Default)]
pub struct Lease {
    /// What is kept for renewing and closing; Terraform never stores it.
    pub private: PrivateState,
    /// When the values need renewal; `None` if they outlast any run.
    pub renew_at: Option<SystemTime>,
}

impl<D> From<D> for Opened<D> {
    /// Values that outlast any run, of which nothing is kept.
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
    async fn open(&self, client: &Arc<C>, arguments: &Value) -> Result<Opened<Value>, Diagnostics>;
    async fn renew(&self, client: &Arc<C>, private: PrivateState) -> Result<Lease, Diagnostics>;
    async fn close(&self, client: &Arc<C>, private: PrivateState) -> Result<(), Diagnostics>;
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
        client: &Arc<E::Client>,
        arguments: &Value,
    ) -> Result<Opened<Value>, Diagnostics> {
        let arguments = E::Data::from_value(arguments, &Path::root())?;
        let Opened { data, lease } = self.ephemeral_resource.open(client, arguments).await?;
        let data = data.to_value();
        Ok(Opened { data, lease })
    }

    async fn renew(
        &self,
        client: &Arc<E::Client>,
        private: PrivateState,
    ) -> Result<Lease, Diagnostics> {
        self.ephemeral_resource.renew(client, private).await
    }

    async fn close(
        &self,
        client: &Arc<E::Client>,
        private: PrivateState,
    ) -> Result<(), Diagnostics> {
        self.ephemeral_resource.close(client, private).await
    }
}

//! Data sources: what exists outside and is only read.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::diagnostics::Diagnostics;
use crate::model::{Model, PlanOf};
use crate::schema::Schema;
use crate::value::{Convert, Path, Type, Value};

/// A kind of data source.
///
/// Its model may be the state of a resource: [`DataSource::REQUIRED`] and [`DataSource::OPTIONAL`] name the arguments,
/// [`DataSource::OMITTED`] what makes sense in the resource alone; everything else is computed.
pub trait DataSource: Send + Sync + 'static {
    /// What the provider made of its configuration.
    type Client: Send + Sync + 'static;
    /// Arguments and results.
    type Data: Model;

    /// The type name with the provider's prefix.
    const TYPE_NAME: &'static str;
    /// Markdown.
    const DESCRIPTION: &'static str;
    /// The arguments that users must set.
    const REQUIRED: &'static [&'static str];
    /// The arguments that users may set.
    const OPTIONAL: &'static [&'static str];

    /// The attributes of the model that are not part of the data source.
    const OMITTED: &'static [&'static str] = &[];
    /// How long reading may take.
    const TIMEOUT: Duration = Duration::from_secs(20 * 60);

    /// Checks a configuration beyond what the schema says, without the network.
    fn validate(&self, config: &PlanOf<Self::Data>) -> Diagnostics {
        let _ = config;
        Diagnostics::default()
    }

    /// Reads the object that the arguments name; an object that does not exist is an error.
    fn read(
        &self,
        client: &Arc<Self::Client>,
        config: PlanOf<Self::Data>,
    ) -> impl Future<Output = Result<Self::Data, Diagnostics>> + Send;
}

#[async_trait]
pub(crate) trait ErasedDataSource<C>: Send + Sync {
    fn schema(&self) -> &Schema;
    fn value_type(&self) -> &Type;
    fn timeout(&self) -> Duration;
    fn validate(&self, config: &Value) -> Result<Diagnostics, Diagnostics>;
    async fn read(&self, client: &Arc<C>, config: &Value) -> Result<Value, Diagnostics>;
}

pub(crate) struct Registered<D> {
    data_source: D,
    schema: Schema,
    value_type: Type,
}

impl<D: DataSource> Registered<D> {
    pub(crate) fn new(data_source: D) -> Self {
        let mut schema = Schema {
            description: D::DESCRIPTION.to_owned(),
            ..D::Data::schema()
        }
        .as_data_source(D::REQUIRED, D::OPTIONAL);
        schema
            .attributes
            .retain(|name, _| !D::OMITTED.contains(&name.as_str()));
        Self {
            data_source,
            value_type: schema.value_type(),
            schema,
        }
    }
}

#[async_trait]
impl<D: DataSource> ErasedDataSource<D::Client> for Registered<D> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn value_type(&self) -> &Type {
        &self.value_type
    }

    fn timeout(&self) -> Duration {
        D::TIMEOUT
    }

    fn validate(&self, config: &Value) -> Result<Diagnostics, Diagnostics> {
        Ok(self
            .data_source
            .validate(&PlanOf::<D::Data>::from_value(config, &Path::root())?))
    }

    async fn read(&self, client: &Arc<D::Client>, config: &Value) -> Result<Value, Diagnostics> {
        let config = PlanOf::<D::Data>::from_value(config, &Path::root())?;
        Ok(self.data_source.read(client, config).await?.to_value())
    }
}

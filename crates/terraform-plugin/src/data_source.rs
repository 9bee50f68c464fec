//! Data sources: objects that are only read.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;

use crate::context::Context;
use crate::diagnostics::Diagnostics;
use crate::model::{Model, PlanOf};
use crate::schema::{Attributes, Schema};
use crate::value::{Convert, Path, Type, Value};

/// A kind of data source.
///
/// Its model may be the state of a resource. [`DataSource::REQUIRED`] and [`DataSource::OPTIONAL`] name the arguments,
/// [`DataSource::OMITTED`] names attributes to leave out, and all others are computed.
pub trait DataSource: Send + Sync + 'static {
    /// The client that the provider's configuration produced.
    type Client: Send + Sync + 'static;
    /// The arguments and results.
    type Data: Model;

    /// The type name, with the provider's prefix.
    const TYPE_NAME: &'static str;
    /// The description, in Markdown.
    const DESCRIPTION: &'static str;
    /// The required arguments.
    const REQUIRED: &'static [&'static str];
    /// The optional arguments.
    const OPTIONAL: &'static [&'static str];

    /// The attributes of the model that the data source does not have.
    const OMITTED: &'static [&'static str] = &[];
    /// The time limit of a read.
    const TIMEOUT: Duration = Duration::from_secs(20 * 60);

    /// Validates a configuration beyond its schema, without network access.
    fn validate(&self, config: &PlanOf<Self::Data>) -> Diagnostics {
        let _ = config;
        Diagnostics::default()
    }

    /// Reads the object that the arguments identify. An object that does not exist is an error.
    fn read(
        &self,
        context: &mut Context<Self::Client>,
        config: PlanOf<Self::Data>,
    ) -> impl Future<Output = Result<Self::Data, Diagnostics>> + Send;
}

#[async_trait]
pub(crate) trait ErasedDataSource<C>: Send + Sync {
    fn schema(&self) -> &Schema;
    fn value_type(&self) -> &Type;
    fn timeout(&self) -> Duration;
    /// Returns what is wrong with the names of arguments.
    fn argument_faults(&self) -> &[String];
    fn validate(&self, config: &Value) -> Result<Diagnostics, Diagnostics>;
    async fn read(&self, context: &mut Context<C>, config: &Value) -> Result<Value, Diagnostics>;
}

pub(crate) struct Registered<D> {
    data_source: D,
    schema: Schema,
    value_type: Type,
    argument_faults: Vec<String>,
}

/// Returns the arguments that the model lacks, and those that are named twice.
fn argument_faults<D: DataSource>(attributes: &Attributes) -> Vec<String> {
    let lists = [
        ("REQUIRED", D::REQUIRED),
        ("OPTIONAL", D::OPTIONAL),
        ("OMITTED", D::OMITTED),
    ];
    let mut faults = Vec::new();
    let mut seen = BTreeMap::new();
    for (list, names) in lists {
        for name in names {
            if !attributes.contains_key(*name) {
                faults.push(format!("{list} names {name}, which is not an attribute"));
            } else if let Some(other) = seen.insert(*name, list) {
                faults.push(format!("{other} and {list} both name {name}"));
            }
        }
    }
    faults
}

impl<D: DataSource> Registered<D> {
    pub(crate) fn new(data_source: D) -> Self {
        let schema = Schema {
            description: D::DESCRIPTION.to_owned(),
            ..D::Data::schema()
        };
        let argument_faults = argument_faults::<D>(&schema.attributes);
        let mut schema = schema.as_data_source(D::REQUIRED, D::OPTIONAL);
        schema
            .attributes
            .retain(|name, _| !D::OMITTED.contains(&name.as_str()));
        Self {
            data_source,
            value_type: schema.value_type(),
            schema,
            argument_faults,
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

    fn argument_faults(&self) -> &[String] {
        &self.argument_faults
    }

    fn validate(&self, config: &Value) -> Result<Diagnostics, Diagnostics> {
        Ok(self
            .data_source
            .validate(&PlanOf::<D::Data>::from_value(config, &Path::root())?))
    }

    async fn read(
        &self,
        context: &mut Context<D::Client>,
        config: &Value,
    ) -> Result<Value, Diagnostics> {
        let config = PlanOf::<D::Data>::from_value(config, &Path::root())?;
        Ok(self.data_source.read(context, config).await?.to_value())
    }
}

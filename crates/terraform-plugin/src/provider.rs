//! Providers: the trait that ties resources and data sources to one configuration.

use std::collections::BTreeMap;
use std::future::Future;

use crate::data_source::{self, DataSource, ErasedDataSource};
use crate::diagnostics::Diagnostics;
use crate::model::{Model, PlanOf};
use crate::resource::{self, ErasedResource, Resource};
use crate::schema::{Root, Schema, SchemaFault};

/// A provider.
pub trait Provider: Send + Sync + 'static {
    /// The provider block.
    type Config: Model;
    /// What resources and data sources share: clients and caches, built lazily, since every phase of a run configures
    /// a provider of its own and may touch nothing.
    type Client: Send + Sync + 'static;

    /// Makes the shared client of a wholly known configuration.
    ///
    /// It is called again when one process serves several runs; what the earlier client cached is then gone.
    fn configure(
        &self,
        config: Self::Config,
    ) -> impl Future<Output = Result<Self::Client, Diagnostics>> + Send;

    /// Names the resources and data sources.
    fn register(&self, registry: &mut Registry<Self::Client>);

    /// Checks a configuration beyond what the schema says, without the network.
    fn validate(&self, config: &PlanOf<Self::Config>) -> Diagnostics {
        let _ = config;
        Diagnostics::default()
    }
}

/// The resources and data sources of a provider, by type name.
pub struct Registry<C> {
    pub(crate) resources: BTreeMap<&'static str, Box<dyn ErasedResource<C>>>,
    pub(crate) data_sources: BTreeMap<&'static str, Box<dyn ErasedDataSource<C>>>,
}

impl<C: Send + Sync + 'static> Registry<C> {
    pub(crate) fn new() -> Self {
        Self {
            resources: BTreeMap::new(),
            data_sources: BTreeMap::new(),
        }
    }

    /// Adds a resource.
    pub fn resource<R: Resource<Client = C>>(&mut self, resource: R) -> &mut Self {
        let registered = resource::Registered::new(resource);
        self.resources.insert(R::TYPE_NAME, Box::new(registered));
        self
    }

    /// Adds a data source.
    pub fn data_source<D: DataSource<Client = C>>(&mut self, data_source: D) -> &mut Self {
        let registered = data_source::Registered::new(data_source);
        self.data_sources.insert(D::TYPE_NAME, Box::new(registered));
        self
    }

    /// The schemas of the resources, by type name.
    pub fn resource_schemas(&self) -> impl Iterator<Item = (&'static str, &Schema)> {
        self.resources
            .iter()
            .map(|(name, resource)| (*name, resource.schema()))
    }

    /// The identity schemas of the resources that have one, by type name.
    pub fn identity_schemas(&self) -> impl Iterator<Item = (&'static str, &Schema)> {
        let resources = self.resources.iter();
        resources.filter_map(|(name, resource)| Some((*name, resource.identity_schema()?)))
    }

    /// The schemas of the data sources, by type name.
    pub fn data_source_schemas(&self) -> impl Iterator<Item = (&'static str, &Schema)> {
        self.data_sources
            .iter()
            .map(|(name, source)| (*name, source.schema()))
    }

    /// Lists the mistakes in all schemas.
    pub(crate) fn faults(&self) -> Vec<SchemaFault> {
        let schemas = self.resource_schemas().chain(self.data_source_schemas());
        schemas
            .flat_map(|(_, schema)| schema.faults(Root::Resource))
            .collect()
    }
}

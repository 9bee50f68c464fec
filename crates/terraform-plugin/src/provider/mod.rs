//! Providers: the trait that ties everything that a provider has to one configuration.

mod registry;

use std::future::Future;

pub use registry::Registry;

use crate::diagnostics::Diagnostics;
use crate::model::{Model, PlanOf};

/// A provider.
pub trait Provider: Send + Sync + 'static {
    /// The provider block.
    type Config: Model;
    /// What resources, data sources and the others share: clients and caches, built lazily, since every phase of a run configures
    /// a provider of its own and may touch nothing.
    type Client: Send + Sync + 'static;

    /// Makes the shared client of a wholly known configuration.
    ///
    /// It is called again when one process serves several runs; what the earlier client cached is then gone.
    fn configure(
        &self,
        config: Self::Config,
    ) -> impl Future<Output = Result<Self::Client, Diagnostics>> + Send;

    /// Names the resources, data sources, functions and what else there is.
    fn register(&self, registry: &mut Registry<Self::Client>);

    /// Checks a configuration beyond what the schema says, without the network.
    fn validate(&self, config: &PlanOf<Self::Config>) -> Diagnostics {
        let _ = config;
        Diagnostics::default()
    }
}

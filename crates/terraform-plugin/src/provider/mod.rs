//! Providers: the trait that combines a configuration with resources, data sources and other kinds.

mod configuration;
mod faults;
mod registry;

use std::future::Future;

pub use configuration::ConfigureContext;
pub use registry::Registry;

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::model::{Model, PlanOf};

/// A provider.
pub trait Provider: Send + Sync + 'static {
    /// The arguments of the provider block.
    type Config: Model;
    /// The client that resources, data sources and other kinds share.
    ///
    /// Build connections and caches lazily: Terraform configures a provider in every phase of a run, even if it then
    /// uses none of its resources.
    type Client: Send + Sync + 'static;

    /// What the names of the provider's environment variables begin with. Variables that begin with it and set no
    /// argument are reported.
    const ENVIRONMENT_PREFIX: Option<&'static str> = None;

    /// Creates the shared client from a wholly known configuration.
    ///
    /// If one process serves several runs, each run calls it again and gets a new client.
    fn configure(
        &self,
        config: Self::Config,
        context: &mut ConfigureContext,
    ) -> impl Future<Output = Result<Self::Client, Diagnostics>> + Send;

    /// Registers the resources, data sources, functions and other kinds.
    fn register(&self, registry: &mut Registry<Self::Client>);

    /// Returns what the user should know about the run so far, such as a server that slowed it down.
    ///
    /// It is called when the last operation in flight ends, which may be the last of the run: Terraform does not tell. So
    /// it returns a warning only once.
    fn report(&self, client: &Self::Client) -> Option<Diagnostic> {
        let _ = client;
        None
    }

    /// Validates a configuration beyond its schema, without network access.
    fn validate(&self, config: &PlanOf<Self::Config>) -> Diagnostics {
        let _ = config;
        Diagnostics::default()
    }
}

//! The provider protocol: one file per group of RPCs, which converts between wire messages and typed code.

mod action;
mod apply;
mod configure;
mod data_source;
mod dispatch;
mod ephemeral_resource;
mod events;
mod function;
mod identity;
mod import;
mod in_flight;
mod list_resource;
mod plan;
mod read;
mod response;
mod rpc;
mod schemas;
mod stored;
mod validate;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio_util::sync::CancellationToken;

use self::in_flight::InFlight;
use crate::action::ErasedAction;
use crate::data_source::ErasedDataSource;
use crate::diagnostics::{Diagnostic, Diagnostics, ToldCauses};
use crate::ephemeral_resource::ErasedEphemeralResource;
use crate::function::ErasedFunction;
use crate::kind::Kind;
use crate::list_resource::ErasedListResource;
use crate::model::Model;
use crate::provider::{Provider, Registry};
use crate::resource::ErasedResource;
use crate::schema::Schema;

/// A provider as a service of the plugin protocol.
pub struct ProviderService<P: Provider> {
    provider: P,
    schema: Schema,
    registry: Registry<P::Client>,
    configuration: RwLock<Configuration<P::Client>>,
    interrupted: RwLock<CancellationToken>,
    told_causes: ToldCauses,
    in_flight: InFlight,
}

/// The state of the provider's configuration.
enum Configuration<C> {
    /// Terraform has not configured the provider.
    Missing,
    /// The configuration depends on resources that do not exist yet.
    Unknown,
    /// The provider is configured.
    Ready(Arc<C>),
}

impl<P: Provider> ProviderService<P> {
    /// Returns the service of a provider that is not configured yet.
    pub fn new(provider: P) -> Self {
        let mut registry = Registry::new();
        provider.register(&mut registry);
        Self {
            schema: P::Config::schema().into_arguments(),
            registry,
            configuration: RwLock::new(Configuration::Missing),
            interrupted: RwLock::new(CancellationToken::new()),
            told_causes: ToldCauses::default(),
            in_flight: InFlight::default(),
            provider,
        }
    }

    /// Returns the schema of the provider block.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Returns everything that the provider registered.
    pub fn registry(&self) -> &Registry<P::Client> {
        &self.registry
    }

    fn resource(&self, type_name: &str) -> Result<&dyn ErasedResource<P::Client>, Diagnostics> {
        find(&self.registry.resources, Kind::Resource, type_name).map(Box::as_ref)
    }

    fn data_source(
        &self,
        type_name: &str,
    ) -> Result<&dyn ErasedDataSource<P::Client>, Diagnostics> {
        find(&self.registry.data_sources, Kind::DataSource, type_name).map(Box::as_ref)
    }

    fn function(&self, name: &str) -> Result<&dyn ErasedFunction, Diagnostics> {
        find(&self.registry.functions, Kind::Function, name).map(Box::as_ref)
    }

    fn ephemeral_resource(
        &self,
        type_name: &str,
    ) -> Result<&dyn ErasedEphemeralResource<P::Client>, Diagnostics> {
        let all = &self.registry.ephemeral_resources;
        find(all, Kind::EphemeralResource, type_name).map(Box::as_ref)
    }

    fn list_resource(
        &self,
        type_name: &str,
    ) -> Result<&Arc<dyn ErasedListResource<P::Client>>, Diagnostics> {
        find(&self.registry.list_resources, Kind::ListResource, type_name)
    }

    fn action(&self, type_name: &str) -> Result<&Arc<dyn ErasedAction<P::Client>>, Diagnostics> {
        find(&self.registry.actions, Kind::Action, type_name)
    }

    /// Returns the client, or `None` if the provider is not configured.
    fn client(&self) -> Option<Arc<P::Client>> {
        match &*self
            .configuration
            .read()
            .unwrap_or_else(PoisonError::into_inner)
        {
            Configuration::Ready(client) => Some(Arc::clone(client)),
            Configuration::Missing | Configuration::Unknown => None,
        }
    }

    /// Returns the client, or an error that says what needs it.
    fn require_client(&self, subject: &str) -> Result<Arc<P::Client>, Diagnostics> {
        self.client().ok_or_else(|| {
            Diagnostic::error(
                "The provider's configuration is not known yet",
                format!("{subject} requires a configured provider, but its configuration depends on resources that do not exist yet. Apply those first (`-target`), or configure the provider with known values."),
            )
            .into()
        })
    }

    fn set_configuration(&self, configuration: Configuration<P::Client>) {
        *self
            .configuration
            .write()
            .unwrap_or_else(PoisonError::into_inner) = configuration;
    }

    /// Returns the token that the next interrupt cancels.
    fn interrupted(&self) -> CancellationToken {
        self.interrupted
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Cancels the operations in flight, but not later ones.
    fn interrupt(&self) {
        let mut interrupted = self
            .interrupted
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *interrupted, CancellationToken::new()).cancel();
    }
}

fn find<'a, V>(
    all: &'a BTreeMap<&'static str, V>,
    kind: Kind,
    name: &str,
) -> Result<&'a V, Diagnostics> {
    all.get(name)
        .ok_or_else(|| Diagnostic::bug(format!("The provider has no {kind} {name}")).into())
}

//! The provider protocol: one file per group of RPCs, each between wire messages and the typed side.

mod apply;
mod configure;
mod data_source;
mod import;
mod plan;
mod read;
mod rpc;
mod schemas;
mod stored;
mod validate;
mod wire;

use std::sync::{Arc, PoisonError, RwLock};

use rpc::Rpc;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::model::Model;
use crate::protocol::tfplugin6::{self as tf, provider_server};
use crate::provider::{Provider, Registry};
use crate::resource::ErasedResource;
use crate::schema::Schema;

/// A provider as a service of the plugin protocol.
pub struct ProviderService<P: Provider> {
    provider: P,
    schema: Schema,
    registry: Registry<P::Client>,
    configured: RwLock<Configured<P::Client>>,
    interrupted: RwLock<CancellationToken>,
}

/// What is known of the provider block.
enum Configured<C> {
    /// Nothing: the run has not come to it.
    Not,
    /// Parts of it follow from resources that do not exist yet.
    Unknown,
    /// All of it.
    Ready(Arc<C>),
}

impl<P: Provider> ProviderService<P> {
    /// Returns the service of a provider that is not configured yet.
    pub fn new(provider: P) -> Self {
        let mut registry = Registry::new();
        provider.register(&mut registry);
        Self {
            schema: P::Config::schema(),
            registry,
            configured: RwLock::new(Configured::Not),
            interrupted: RwLock::new(CancellationToken::new()),
            provider,
        }
    }

    /// The schema of the provider block.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The resources and data sources.
    pub fn registry(&self) -> &Registry<P::Client> {
        &self.registry
    }

    fn resource(&self, type_name: &str) -> Result<&dyn ErasedResource<P::Client>, Diagnostics> {
        self.registry
            .resources
            .get(type_name)
            .map(Box::as_ref)
            .ok_or_else(|| {
                Diagnostic::defect(format!("There is no resource type {type_name}")).into()
            })
    }

    /// Returns the client; `None` while the provider block is not known.
    fn client(&self) -> Option<Arc<P::Client>> {
        match &*self
            .configured
            .read()
            .unwrap_or_else(PoisonError::into_inner)
        {
            Configured::Ready(client) => Some(Arc::clone(client)),
            Configured::Not | Configured::Unknown => None,
        }
    }

    /// Returns the client, or the error of an operation that cannot do without.
    fn client_for(&self, what: &str) -> Result<Arc<P::Client>, Diagnostics> {
        self.client().ok_or_else(|| {
            Diagnostic::error(
                "The provider's configuration is not known yet",
                format!("{what} needs the provider, whose configuration follows from resources that do not exist yet. Apply those first (`-target`), or configure the provider with values that are known."),
            )
            .into()
        })
    }

    fn configure(&self, configured: Configured<P::Client>) {
        *self
            .configured
            .write()
            .unwrap_or_else(PoisonError::into_inner) = configured;
    }

    /// Returns the token that the next interrupt cancels.
    fn interrupted(&self) -> CancellationToken {
        self.interrupted
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Cancels what is in flight; what comes later runs.
    fn interrupt(&self) {
        let mut interrupted = self
            .interrupted
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *interrupted, CancellationToken::new()).cancel();
    }

    async fn answer<R: Rpc<P>>(&self, request: R) -> Result<Response<R::Response>, Status> {
        Ok(Response::new(rpc::answer(self, request).await))
    }
}

macro_rules! answers {
    ($($rpc:ident: $messages:ident;)*) => {
        #[tonic::async_trait]
        impl<P: Provider> provider_server::Provider for ProviderService<P> {
            $(
                async fn $rpc(
                    &self,
                    request: Request<tf::$messages::Request>,
                ) -> Result<Response<tf::$messages::Response>, Status> {
                    self.answer(request.into_inner()).await
                }
            )*
        }
    };
}

// RPCs that are not listed answer `Unimplemented`, by which Terraform knows that they are not supported.
answers! {
    get_metadata: get_metadata;
    get_provider_schema: get_provider_schema;
    get_resource_identity_schemas: get_resource_identity_schemas;
    get_functions: get_functions;
    validate_provider_config: validate_provider_config;
    validate_resource_config: validate_resource_config;
    validate_data_resource_config: validate_data_resource_config;
    configure_provider: configure_provider;
    stop_provider: stop_provider;
    upgrade_resource_state: upgrade_resource_state;
    upgrade_resource_identity: upgrade_resource_identity;
    move_resource_state: move_resource_state;
    read_resource: read_resource;
    plan_resource_change: plan_resource_change;
    apply_resource_change: apply_resource_change;
    import_resource_state: import_resource_state;
    read_data_source: read_data_source;
}

//! List resources: searches for existing objects, for `terraform query`.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::model::{Model, PlanOf};
use crate::resource::Resource;
use crate::schema::Schema;
use crate::value::{Convert, Path, Type, Value};

/// A search for the objects of a kind of resource.
pub trait ListResource: Send + Sync + 'static {
    /// The resource. It must be registered and have an identity.
    type Resource: Resource;
    /// The search criteria. Their doc comment describes the list.
    type Config: Model;

    /// Validates a configuration beyond its schema, without network access.
    fn validate(&self, config: &PlanOf<Self::Config>) -> Diagnostics {
        let _ = config;
        Diagnostics::default()
    }

    /// Searches for objects and [pushes](Listing::push) each one as soon as it is found.
    ///
    /// The future is dropped when no more objects are wanted.
    fn list(
        &self,
        listing: &mut Listing<Self::Resource>,
        config: Self::Config,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send;
}

/// An object found by a search.
pub struct Listed<R: Resource> {
    /// The identity of the object.
    pub identity: R::Identity,
    /// The name shown to users.
    pub display_name: String,
    /// The attributes, required if [`Listing::wants_state`] returns `true`.
    pub state: Option<R::State>,
}

/// The context of a search.
pub struct Listing<R: Resource> {
    client: Arc<R::Client>,
    wants_state: bool,
    limit: Option<usize>,
    found: mpsc::Sender<Found>,
}

impl<R: Resource> Listing<R> {
    /// Returns the client that the provider's configuration produced.
    pub fn client(&self) -> &Arc<R::Client> {
        &self.client
    }

    /// Returns `true` if the user wants the attributes of the objects.
    pub fn wants_state(&self) -> bool {
        self.wants_state
    }

    /// Returns the largest number of objects that the user wants. Pages need not be larger.
    pub fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// Shows a warning to the user.
    pub async fn warn(&mut self, summary: impl Into<String>, detail: impl Into<String>) {
        let warning = Diagnostic::warning(summary, detail);
        let _ = self.found.send(Found::Warning(warning)).await;
    }

    /// Sends an object to Terraform.
    pub async fn push(&mut self, listed: Listed<R>) {
        let found = Found::Object {
            identity: listed.identity.to_value(),
            display_name: listed.display_name,
            state: listed.state.map(|state| state.to_value()),
        };
        // The channel is closed if Terraform has stopped reading; the search is then dropped.
        let _ = self.found.send(found).await;
    }
}

/// What a search sends, without its types.
pub(crate) enum Found {
    Object {
        identity: Value,
        display_name: String,
        state: Option<Value>,
    },
    Warning(Diagnostic),
}

/// A search, without its types.
pub(crate) struct ListRequest<C> {
    pub(crate) client: Arc<C>,
    pub(crate) config: Value,
    pub(crate) wants_state: bool,
    pub(crate) limit: Option<usize>,
    pub(crate) found: mpsc::Sender<Found>,
}

#[async_trait]
pub(crate) trait ErasedListResource<C>: Send + Sync {
    fn schema(&self) -> &Schema;
    fn value_type(&self) -> &Type;
    fn validate(&self, config: &Value) -> Result<Diagnostics, Diagnostics>;
    async fn list(&self, request: ListRequest<C>) -> Result<(), Diagnostics>;
}

pub(crate) struct Registered<L> {
    list_resource: L,
    schema: Schema,
    value_type: Type,
}

impl<L: ListResource> Registered<L> {
    pub(crate) fn new(list_resource: L) -> Self {
        let schema = L::Config::schema().into_arguments();
        Self {
            list_resource,
            value_type: schema.value_type(),
            schema,
        }
    }
}

type ClientOf<L> = <<L as ListResource>::Resource as Resource>::Client;

#[async_trait]
impl<L: ListResource> ErasedListResource<ClientOf<L>> for Registered<L> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn value_type(&self) -> &Type {
        &self.value_type
    }

    fn validate(&self, config: &Value) -> Result<Diagnostics, Diagnostics> {
        let config = PlanOf::<L::Config>::from_value(config, &Path::root())?;
        Ok(self.list_resource.validate(&config))
    }

    async fn list(&self, request: ListRequest<ClientOf<L>>) -> Result<(), Diagnostics> {
        let config = L::Config::from_value(&request.config, &Path::root())?;
        let mut listing = Listing {
            client: request.client,
            wants_state: request.wants_state,
            limit: request.limit,
            found: request.found,
        };
        self.list_resource.list(&mut listing, config).await
    }
}

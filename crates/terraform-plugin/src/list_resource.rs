//! List resources: the search for objects that exist, for `terraform query`.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::diagnostics::Diagnostics;
use crate::model::{Model, PlanOf};
use crate::resource::Resource;
use crate::schema::Schema;
use crate::value::{Convert, Path, Type, Value};

/// How the objects of a kind of resource are found.
pub trait ListResource: Send + Sync + 'static {
    /// The resource, which must be registered too and have an identity.
    type Resource: Resource;
    /// What users can search for; its doc comment describes the list.
    type Config: Model;

    /// Checks a configuration beyond what the schema says, without the network.
    fn validate(&self, config: &PlanOf<Self::Config>) -> Diagnostics {
        let _ = config;
        Diagnostics::default()
    }

    /// Finds the objects and [reports](Listing::push) each as soon as it is found.
    ///
    /// It is dropped as soon as nobody wants more objects.
    fn list(
        &self,
        listing: &mut Listing<Self::Resource>,
        config: Self::Config,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send;
}

/// An object that was found.
pub struct Listed<R: Resource> {
    /// What identifies the object.
    pub identity: R::Identity,
    /// What people call it.
    pub display_name: String,
    /// The attributes; needed if [`Listing::wants_state`] says so.
    pub state: Option<R::State>,
}

/// One search.
pub struct Listing<R: Resource> {
    client: Arc<R::Client>,
    wants_state: bool,
    limit: Option<usize>,
    found: mpsc::Sender<Found>,
}

impl<R: Resource> Listing<R> {
    /// What the provider made of its configuration.
    pub fn client(&self) -> &Arc<R::Client> {
        &self.client
    }

    /// Whether the user wants the attributes of the objects too.
    pub fn wants_state(&self) -> bool {
        self.wants_state
    }

    /// How many objects the user wants at most; pages need not be larger.
    pub fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// Reports an object.
    pub async fn push(&mut self, listed: Listed<R>) {
        let found = Found {
            identity: listed.identity.to_value(),
            display_name: listed.display_name,
            state: listed.state.map(|state| state.to_value()),
        };
        // Nobody reads on when Terraform is gone; the search is then dropped.
        let _ = self.found.send(found).await;
    }
}

/// An object that was found, without its types.
pub(crate) struct Found {
    pub(crate) identity: Value,
    pub(crate) display_name: String,
    pub(crate) state: Option<Value>,
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

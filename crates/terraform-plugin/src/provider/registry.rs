//! The registry of a provider's resources, data sources and other kinds.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::action::{self, Action, ErasedAction};
use crate::data_source::{self, DataSource, ErasedDataSource};
use crate::ephemeral_resource::{self, EphemeralResource, ErasedEphemeralResource};
use crate::function::{self, ErasedFunction, Function, Signature};
use crate::kind::Kind;
use crate::list_resource::{self, ErasedListResource, ListResource};
use crate::resource::{self, ErasedResource, Resource};
use crate::schema::Schema;

/// Everything that a provider has, by kind and type name. Different kinds may use the same name.
pub struct Registry<C> {
    pub(crate) resources: BTreeMap<&'static str, Box<dyn ErasedResource<C>>>,
    pub(crate) data_sources: BTreeMap<&'static str, Box<dyn ErasedDataSource<C>>>,
    pub(crate) functions: BTreeMap<&'static str, Box<dyn ErasedFunction>>,
    pub(crate) ephemeral_resources: BTreeMap<&'static str, Box<dyn ErasedEphemeralResource<C>>>,
    // Their work can outlive the call that started it.
    pub(crate) list_resources: BTreeMap<&'static str, Arc<dyn ErasedListResource<C>>>,
    pub(crate) actions: BTreeMap<&'static str, Arc<dyn ErasedAction<C>>>,
    /// The names that were registered again.
    pub(super) duplicates: Vec<(Kind, &'static str)>,
}

impl<C: Send + Sync + 'static> Registry<C> {
    pub(crate) fn new() -> Self {
        Self {
            resources: BTreeMap::new(),
            data_sources: BTreeMap::new(),
            functions: BTreeMap::new(),
            ephemeral_resources: BTreeMap::new(),
            list_resources: BTreeMap::new(),
            actions: BTreeMap::new(),
            duplicates: Vec::new(),
        }
    }

    /// Records a name that was registered before, which is a fault.
    fn check_replaced(&mut self, kind: Kind, name: &'static str, is_replaced: bool) {
        if is_replaced {
            self.duplicates.push((kind, name));
        }
    }

    /// Adds a resource.
    pub fn resource<R: Resource<Client = C>>(&mut self, resource: R) -> &mut Self {
        let registered = resource::Registered::new(resource);
        let replaced = self.resources.insert(R::TYPE_NAME, Box::new(registered));
        self.check_replaced(Kind::Resource, R::TYPE_NAME, replaced.is_some());
        self
    }

    /// Adds a data source.
    pub fn data_source<D: DataSource<Client = C>>(&mut self, data_source: D) -> &mut Self {
        let registered = data_source::Registered::new(data_source);
        let replaced = self.data_sources.insert(D::TYPE_NAME, Box::new(registered));
        self.check_replaced(Kind::DataSource, D::TYPE_NAME, replaced.is_some());
        self
    }

    /// Adds a function.
    pub fn function<F: Function>(&mut self, function: F) -> &mut Self {
        let registered = function::Registered::new(function);
        let replaced = self.functions.insert(F::NAME, Box::new(registered));
        self.check_replaced(Kind::Function, F::NAME, replaced.is_some());
        self
    }

    /// Adds an ephemeral resource.
    pub fn ephemeral_resource<E: EphemeralResource<Client = C>>(
        &mut self,
        ephemeral_resource: E,
    ) -> &mut Self {
        let registered = ephemeral_resource::Registered::new(ephemeral_resource);
        let replaced = self
            .ephemeral_resources
            .insert(E::TYPE_NAME, Box::new(registered));
        self.check_replaced(Kind::EphemeralResource, E::TYPE_NAME, replaced.is_some());
        self
    }

    /// Adds the list resource of a resource.
    pub fn list_resource<L>(&mut self, list_resource: L) -> &mut Self
    where
        L: ListResource<Resource: Resource<Client = C>>,
    {
        let registered = list_resource::Registered::new(list_resource);
        let type_name = <L::Resource as Resource>::TYPE_NAME;
        let replaced = self.list_resources.insert(type_name, Arc::new(registered));
        self.check_replaced(Kind::ListResource, type_name, replaced.is_some());
        self
    }

    /// Adds an action.
    pub fn action<A: Action<Client = C>>(&mut self, action: A) -> &mut Self {
        let registered = action::Registered::new(action);
        let replaced = self.actions.insert(A::TYPE_NAME, Arc::new(registered));
        self.check_replaced(Kind::Action, A::TYPE_NAME, replaced.is_some());
        self
    }

    /// Returns the schemas of the resources, by type name.
    pub fn resource_schemas(&self) -> impl Iterator<Item = (&'static str, &Schema)> {
        let resources = self.resources.iter();
        resources.map(|(name, resource)| (*name, resource.schema()))
    }

    /// Returns the identity schemas of the resources that have one, by type name.
    pub fn identity_schemas(&self) -> impl Iterator<Item = (&'static str, &Schema)> {
        let resources = self.resources.iter();
        resources.filter_map(|(name, resource)| Some((*name, resource.identity_schema()?)))
    }

    /// Returns the schemas of the data sources, by type name.
    pub fn data_source_schemas(&self) -> impl Iterator<Item = (&'static str, &Schema)> {
        let sources = self.data_sources.iter();
        sources.map(|(name, source)| (*name, source.schema()))
    }

    /// Returns the signatures of the functions, by name.
    pub fn function_signatures(&self) -> impl Iterator<Item = (&'static str, &Signature)> {
        let functions = self.functions.iter();
        functions.map(|(name, function)| (*name, function.signature()))
    }

    /// Returns the schemas of the ephemeral resources, by type name.
    pub fn ephemeral_resource_schemas(&self) -> impl Iterator<Item = (&'static str, &Schema)> {
        let ephemeral_resources = self.ephemeral_resources.iter();
        ephemeral_resources.map(|(name, resource)| (*name, resource.schema()))
    }

    /// Returns the schemas of the list resources, by type name.
    pub fn list_resource_schemas(&self) -> impl Iterator<Item = (&'static str, &Schema)> {
        let list_resources = self.list_resources.iter();
        list_resources.map(|(name, resource)| (*name, resource.schema()))
    }

    /// Returns the schemas of the actions, by type name.
    pub fn action_schemas(&self) -> impl Iterator<Item = (&'static str, &Schema)> {
        let actions = self.actions.iter();
        actions.map(|(name, action)| (*name, action.schema()))
    }

    /// Returns `true` if the provider has anything of the kind.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        match kind {
            Kind::Resource => !self.resources.is_empty(),
            Kind::DataSource => !self.data_sources.is_empty(),
            Kind::Function => !self.functions.is_empty(),
            Kind::EphemeralResource => !self.ephemeral_resources.is_empty(),
            Kind::ListResource => !self.list_resources.is_empty(),
            Kind::Action => !self.actions.is_empty(),
        }
    }
}

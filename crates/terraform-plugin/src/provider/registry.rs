//! What a provider has, by kind and name.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::action::{self, Action, ErasedAction};
use crate::data_source::{self, DataSource, ErasedDataSource};
use crate::ephemeral_resource::{self, EphemeralResource, ErasedEphemeralResource};
use crate::function::{self, ErasedFunction, Function, Signature};
use crate::kind::Kind;
use crate::list_resource::{self, ErasedListResource, ListResource};
use crate::resource::{self, ErasedResource, Resource};
use crate::schema::{Root, Schema, SchemaFault};
use crate::value::Path;

/// What a provider has, by name; every kind has names of its own.
pub struct Registry<C> {
    pub(crate) resources: BTreeMap<&'static str, Box<dyn ErasedResource<C>>>,
    pub(crate) data_sources: BTreeMap<&'static str, Box<dyn ErasedDataSource<C>>>,
    pub(crate) functions: BTreeMap<&'static str, Box<dyn ErasedFunction>>,
    pub(crate) ephemeral_resources: BTreeMap<&'static str, Box<dyn ErasedEphemeralResource<C>>>,
    // The work of these two goes on beside the call that has started it.
    pub(crate) list_resources: BTreeMap<&'static str, Arc<dyn ErasedListResource<C>>>,
    pub(crate) actions: BTreeMap<&'static str, Arc<dyn ErasedAction<C>>>,
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

    /// Adds a function.
    pub fn function<F: Function>(&mut self, function: F) -> &mut Self {
        let registered = function::Registered::new(function);
        self.functions.insert(F::NAME, Box::new(registered));
        self
    }

    /// Adds an ephemeral resource.
    pub fn ephemeral_resource<E: EphemeralResource<Client = C>>(
        &mut self,
        ephemeral_resource: E,
    ) -> &mut Self {
        let registered = ephemeral_resource::Registered::new(ephemeral_resource);
        self.ephemeral_resources
            .insert(E::TYPE_NAME, Box::new(registered));
        self
    }

    /// Adds the list of the objects of a resource.
    pub fn list_resource<L>(&mut self, list_resource: L) -> &mut Self
    where
        L: ListResource<Resource: Resource<Client = C>>,
    {
        let registered = list_resource::Registered::new(list_resource);
        let type_name = <L::Resource as Resource>::TYPE_NAME;
        self.list_resources.insert(type_name, Arc::new(registered));
        self
    }

    /// Adds an action.
    pub fn action<A: Action<Client = C>>(&mut self, action: A) -> &mut Self {
        let registered = action::Registered::new(action);
        self.actions.insert(A::TYPE_NAME, Arc::new(registered));
        self
    }

    /// The schemas of the resources, by type name.
    pub fn resource_schemas(&self) -> impl Iterator<Item = (&'static str, &Schema)> {
        let resources = self.resources.iter();
        resources.map(|(name, resource)| (*name, resource.schema()))
    }

    /// The identity schemas of the resources that have one, by type name.
    pub fn identity_schemas(&self) -> impl Iterator<Item = (&'static str, &Schema)> {
        let resources = self.resources.iter();
        resources.filter_map(|(name, resource)| Some((*name, resource.identity_schema()?)))
    }

    /// The schemas of the data sources, by type name.
    pub fn data_source_schemas(&self) -> impl Iterator<Item = (&'static str, &Schema)> {
        let sources = self.data_sources.iter();
        sources.map(|(name, source)| (*name, source.schema()))
    }

    /// The signatures of the functions, by name.
    pub fn function_signatures(&self) -> impl Iterator<Item = (&'static str, &Signature)> {
        let functions = self.functions.iter();
        functions.map(|(name, function)| (*name, function.signature()))
    }

    /// The schemas of the ephemeral resources, by type name.
    pub fn ephemeral_resource_schemas(&self) -> impl Iterator<Item = (&'static str, &Schema)> {
        let ephemeral_resources = self.ephemeral_resources.iter();
        ephemeral_resources.map(|(name, resource)| (*name, resource.schema()))
    }

    /// The schemas of what lists can be searched for, by type name of their resources.
    pub fn list_resource_schemas(&self) -> impl Iterator<Item = (&'static str, &Schema)> {
        let list_resources = self.list_resources.iter();
        list_resources.map(|(name, resource)| (*name, resource.schema()))
    }

    /// The schemas of the actions, by type name.
    pub fn action_schemas(&self) -> impl Iterator<Item = (&'static str, &Schema)> {
        let actions = self.actions.iter();
        actions.map(|(name, action)| (*name, action.schema()))
    }

    /// Tells whether there is any of a kind.
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

    /// Lists the mistakes in all schemas and signatures.
    pub(crate) fn faults(&self) -> Vec<SchemaFault> {
        let mut faults = Vec::new();
        let mut check = |kind: Kind, root, schemas: &mut dyn Iterator<Item = (&str, &Schema)>| {
            for (name, schema) in schemas {
                faults.extend(schema.faults(&format!("{kind} {name}"), root));
            }
        };
        check(Kind::Resource, Root::Resource, &mut self.resource_schemas());
        check(
            Kind::DataSource,
            Root::Resource,
            &mut self.data_source_schemas(),
        );
        check(
            Kind::EphemeralResource,
            Root::EphemeralResource,
            &mut self.ephemeral_resource_schemas(),
        );
        check(
            Kind::ListResource,
            Root::ListResource,
            &mut self.list_resource_schemas(),
        );
        check(Kind::Action, Root::Action, &mut self.action_schemas());
        for (name, signature) in self.function_signatures() {
            faults.extend(signature.faults(&format!("{} {name}", Kind::Function), name));
        }
        faults.extend(self.lists_without_identity());
        faults
    }

    /// Lists without a resource whose identity tells the objects apart; Terraform refuses them.
    fn lists_without_identity(&self) -> impl Iterator<Item = SchemaFault> {
        let names = self.list_resources.keys();
        let unidentified = names.filter(|name| {
            let resource = self.resources.get(*name);
            resource.is_none_or(|resource| resource.identity_schema().is_none())
        });
        unidentified.map(|name| SchemaFault {
            subject: format!("{} {name}", Kind::ListResource),
            path: Path::root(),
            reason: "there is no resource of this name that has an identity".to_owned(),
        })
    }
}

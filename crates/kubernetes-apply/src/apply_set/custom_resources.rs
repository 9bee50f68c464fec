//! The custom resources whose kinds a set defines.

use super::ApplySet;
use super::delete::{DeleteError, defines_kind};
use crate::cluster::{ApiError, Detail, DiscoveryError};
use crate::concurrently::concurrently;
use crate::inventory::Entry;
use crate::object::{ApiVersion, Object, ObjectRef};
use crate::order::defined_kind;
use crate::ownership::check_deletion;

/// How many owners of owners are looked up.
const DEPTH: usize = 8;

impl ApplySet<'_> {
    /// Returns the objects of kinds that the set defines which others would lose, or lose the controllers of, with the
    /// set.
    ///
    /// Left out are the objects of the set, those for which `is_own` holds, and those that belong by their
    /// `ownerReferences` to such an object, or to one that is returned. A definition that is not proven to be
    /// the set's own stays with its objects, so these do not count. A program can refuse to delete the set while there
    /// are any.
    pub async fn custom_resources_of_others(
        &self,
        is_own: impl Fn(&Object) -> bool,
    ) -> Result<Vec<ObjectRef>, DeleteError> {
        let inventory = self.inventory().await?;
        let definitions: Vec<Entry> = inventory
            .entries()
            .filter(|entry| defines_kind(&entry.object))
            .collect();
        let lists = definitions.iter().map(|entry| self.resources_of(entry));
        let lists = concurrently(lists.collect()).await;
        let mut all = Vec::new();
        for (entry, list) in definitions.iter().zip(lists) {
            let failed = |error| DeleteError::Objects(vec![(entry.object.clone(), error)]);
            all.extend(list.map_err(failed)?);
        }
        let is_known = |object: &Object| inventory.contains(object.reference()) || is_own(object);
        let is_listed = |uid: &str| all.iter().any(|object| object.uid() == Some(uid));
        let mut others = Vec::new();
        for object in all.iter().filter(|object| !is_known(object)) {
            let reference = object.reference().clone();
            match self.goes_with_owner(object, is_listed, is_known).await {
                Ok(true) => {}
                Ok(false) => others.push(reference),
                Err(error) => return Err(DeleteError::Objects(vec![(reference, error)])),
            }
        }
        others.sort();
        Ok(others)
    }

    /// Returns the objects of the kind that a definition of the set defines; none if the definition is not proven to
    /// be the set's own.
    async fn resources_of(&self, entry: &Entry) -> Result<Vec<Object>, ApiError> {
        match self.definition(&entry.object).await? {
            Some(live) if check_deletion(&live, entry, &self.owner, self.id()).is_ok() => {
                self.defined_resources(&live).await
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Returns the objects of the kind that a definition defines.
    pub(super) async fn custom_resources(
        &self,
        definition: &ObjectRef,
    ) -> Result<Vec<Object>, ApiError> {
        match self.definition(definition).await? {
            Some(live) => self.defined_resources(&live).await,
            None => Ok(Vec::new()),
        }
    }

    async fn definition(&self, definition: &ObjectRef) -> Result<Option<Object>, ApiError> {
        let resource = self.cluster.preferred_resource(&definition.kind).await?;
        self.cluster
            .find_in(&resource, None, &definition.name, Detail::Full)
            .await
    }

    async fn defined_resources(&self, definition: &Object) -> Result<Vec<Object>, ApiError> {
        let Some(kind) = defined_kind(definition) else {
            return Ok(Vec::new());
        };
        let resource = match self.cluster.preferred_resource(&kind).await {
            Ok(resource) => resource,
            Err(DiscoveryError::NotServed { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        self.cluster
            .list_in(&resource, None, "", Detail::Metadata)
            .await
    }

    /// Whether an object is deleted with another one that is listed or known.
    async fn goes_with_owner(
        &self,
        object: &Object,
        is_listed: impl Fn(&str) -> bool,
        is_known: impl Fn(&Object) -> bool,
    ) -> Result<bool, ApiError> {
        let namespace = object.reference().namespace.clone();
        let mut current = object.clone();
        for _ in 0..DEPTH {
            let text = |field: &str| {
                let owner = current.list("/metadata/ownerReferences").first()?;
                owner.get(field)?.as_str().map(str::to_owned)
            };
            let (Some(uid), Some(api_version), Some(kind), Some(name)) =
                (text("uid"), text("apiVersion"), text("kind"), text("name"))
            else {
                return Ok(false);
            };
            if is_listed(&uid) {
                return Ok(true);
            }
            let kind = ApiVersion::parse(&api_version).kind(&kind);
            let found = self
                .cluster
                .find(&kind, namespace.as_deref(), &name, Detail::Metadata)
                .await;
            current = match found {
                Ok(Some(owner)) if owner.uid() == Some(uid.as_str()) => owner,
                Ok(_) | Err(ApiError::Discovery(DiscoveryError::NotServed { .. })) => {
                    return Ok(false);
                }
                Err(error) => return Err(error),
            };
            if is_known(&current) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

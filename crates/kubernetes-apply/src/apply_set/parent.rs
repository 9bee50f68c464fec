//! The `ConfigMap` that holds the inventory of a set.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::ApplySet;
use crate::cluster::{ApiError, Deletion, Detail, PatchMode, Resource};
use crate::inventory::Inventory;
use crate::object::{GroupKind, Kind, Object, ObjectRef};

const ID_LABEL: &str = "applyset.kubernetes.io/id";
const TOOLING: &str = "applyset.kubernetes.io/tooling";
const KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";
const NAMESPACES: &str = "applyset.kubernetes.io/additional-namespaces";
const TOOL: &str = "kubernetes-apply/v1";
const DATA: &str = "inventory";

/// How often an update is tried that others get in the way of.
const ATTEMPTS: usize = 5;

/// The `ConfigMap` that holds the inventory of a set. Its namespace must exist.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Parent {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// The inventory of a set could not be read or written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum InventoryError {
    /// The `ConfigMap` is somebody else's.
    #[error(
        "the ConfigMap {namespace}/{name} exists and is not the inventory of this set; remove it, or choose \
         another name"
    )]
    Foreign {
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
    },
    /// Its content is not an inventory.
    #[error(
        "the ConfigMap {namespace}/{name} holds no inventory that can be read; restore its key inventory, \
         because nothing is deleted without it"
    )]
    Damaged {
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
    },
    /// Others write it all the time.
    #[error("the ConfigMap {namespace}/{name} is being changed by others; try again")]
    Contended {
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
    },
    /// The cluster could not be asked, or refused.
    #[error("cannot read or write the inventory of the set")]
    Api(#[from] ApiError),
}

impl Parent {
    /// Returns the id of the set, by the formula of Kubernetes.
    pub(super) fn set_id(&self) -> String {
        let identity = format!("{}.{}.ConfigMap.", self.name, self.namespace);
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(identity));
        format!("applyset-{digest}-v1")
    }

    fn foreign(&self) -> InventoryError {
        InventoryError::Foreign {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }
}

impl ApplySet<'_> {
    /// Returns the inventory of the set; empty if nothing was ever applied.
    pub async fn inventory(&self) -> Result<Inventory, InventoryError> {
        let resource = self.parent_resource().await?;
        let (_, inventory) = self.read_parent(&resource).await?;
        Ok(inventory)
    }

    /// Changes the inventory. `change` may be called several times, each time with what the cluster has then.
    pub(super) async fn update_inventory(
        &self,
        change: impl Fn(&mut Inventory),
    ) -> Result<Inventory, InventoryError> {
        let resource = self.parent_resource().await?;
        for _ in 0..ATTEMPTS {
            let (stored, before) = self.read_parent(&resource).await?;
            let mut inventory = before.clone();
            change(&mut inventory);
            if inventory == before {
                return Ok(inventory);
            }
            let manager = &self.owner.field_manager;
            let written = match stored {
                None => {
                    let parent = self.parent_object(&inventory, None)?;
                    self.cluster.create_in(&resource, &parent, manager).await
                }
                Some(stored) => {
                    let parent = self.parent_object(&inventory, stored.resource_version())?;
                    let mode = PatchMode::Write;
                    self.cluster
                        .replace(&resource, &parent, manager, "", mode)
                        .await
                }
            };
            match written {
                Ok(_) => return Ok(inventory),
                Err(error) if is_race(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(InventoryError::Contended {
            namespace: self.parent.namespace.clone(),
            name: self.parent.name.clone(),
        })
    }

    /// Deletes the inventory if it is empty.
    pub(super) async fn delete_inventory(&self) -> Result<(), InventoryError> {
        let resource = self.parent_resource().await?;
        for _ in 0..ATTEMPTS {
            let (stored, inventory) = self.read_parent(&resource).await?;
            let Some(stored) = stored.filter(|_| inventory.is_empty()) else {
                return Ok(());
            };
            match self.cluster.delete(&resource, &stored).await? {
                Deletion::Accepted | Deletion::Gone => return Ok(()),
                Deletion::Changed => {}
            }
        }
        Ok(())
    }

    async fn parent_resource(&self) -> Result<Resource, ApiError> {
        Ok(self.cluster.resource(&Kind::new("v1", "ConfigMap")).await?)
    }

    async fn read_parent(
        &self,
        resource: &Resource,
    ) -> Result<(Option<Object>, Inventory), InventoryError> {
        let Parent { namespace, name } = &self.parent;
        let found = self
            .cluster
            .find_in(resource, Some(namespace), name, Detail::Full)
            .await?;
        let Some(stored) = found else {
            return Ok((None, Inventory::default()));
        };
        let is_ours = stored.label(ID_LABEL) == Some(&self.id) && self.owner.label.is_on(&stored);
        if !is_ours {
            return Err(self.parent.foreign());
        }
        let text = stored
            .get("/data")
            .and_then(|data| data.get(DATA))
            .and_then(Value::as_str);
        match serde_json::from_str(text.unwrap_or_default()) {
            Ok(inventory) => Ok((Some(stored), inventory)),
            Err(_) => Err(InventoryError::Damaged {
                namespace: namespace.clone(),
                name: name.clone(),
            }),
        }
    }

    fn parent_object(
        &self,
        inventory: &Inventory,
        resource_version: Option<&str>,
    ) -> Result<Object, InventoryError> {
        let Parent { namespace, name } = &self.parent;
        let kinds: Vec<String> = inventory.kinds().iter().map(group_kind).collect();
        let mut namespaces = inventory.namespaces();
        namespaces.retain(|other| other != namespace);
        let mut object = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": {
                    ID_LABEL: self.id,
                    self.owner.label.key(): self.owner.label.value(),
                },
                "annotations": {
                    TOOLING: TOOL,
                    KINDS: kinds.join(","),
                    NAMESPACES: namespaces.join(","),
                },
            },
            "data": {DATA: json!(inventory).to_string()},
        });
        if let Some(version) = resource_version
            && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
        {
            metadata.insert("resourceVersion".to_owned(), version.into());
        }
        Object::new(object).map_err(|_| self.parent.foreign())
    }

    /// Returns the name of the `ConfigMap` that holds the inventory.
    pub fn parent(&self) -> ObjectRef {
        ObjectRef::namespaced("", "ConfigMap", &self.parent.namespace, &self.parent.name)
    }
}

/// Returns a kind as an `ApplySet` names it: `Deployment.apps`, and `Pod`.
fn group_kind(kind: &GroupKind) -> String {
    match kind.group.as_str() {
        "" => kind.kind.clone(),
        group => format!("{}.{group}", kind.kind),
    }
}

/// Whether others have created, changed or deleted the object in between.
fn is_race(error: &ApiError) -> bool {
    let call = error.call();
    call.is_some_and(|call| {
        ["AlreadyExists", "Conflict", "NotFound"]
            .iter()
            .any(|reason| call.is_refused_for(reason))
            && call
                .status()
                .is_some_and(|status| status.json().get("details").is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_set_is_that_of_its_parent_by_the_formula_of_kubernetes() {
        let parent = Parent {
            namespace: "default".to_owned(),
            name: "web".to_owned(),
        };
        let id = parent.set_id();
        // base64url(sha256("web.default.ConfigMap."))
        assert_eq!(
            id,
            "applyset-IYdi3vvhrGq-RtA5r-S9japVmXqDHiKSxhjtQ1RXhsU-v1"
        );
        assert!(id.len() <= 63);
    }
}

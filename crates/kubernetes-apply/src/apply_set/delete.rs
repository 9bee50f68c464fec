//! Deleting the objects of a set, in reverse order, and only those that are proven to belong to it.

use std::fmt;
use std::time::Duration;

use super::ApplySet;
use super::namespace::{Content, namespace_content};
use super::parent::InventoryError;
use crate::cluster::{ApiError, Deletion, Detail, DiscoveryError, Resource};
use crate::concurrently::concurrently;
use crate::error_chain::error_chain;
use crate::inventory::Entry;
use crate::object::{Object, ObjectRef};
use crate::order::deletion_stages;
use crate::ownership::{ForeignObject, check_deletion};
use crate::wait::NotGoneError;

/// How objects are deleted.
#[derive(Clone, Debug)]
pub struct DeleteOptions {
    /// How long to wait until the objects of one stage are gone.
    pub timeout: Duration,
    /// What happens to namespaces that hold something else.
    pub namespaces: NamespaceContent,
}

/// What happens to a namespace of the set that holds objects of others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NamespaceContent {
    /// The namespace stays, unless all that it holds is what Kubernetes itself puts into every namespace, what
    /// other objects own, or one of these.
    Keep {
        /// Objects that may be deleted with the namespace, or with the definition of their kind, such as what a
        /// controller of the set writes.
        expendable: Vec<ObjectRef>,
    },
    /// The namespace is deleted with all that it holds.
    Delete,
}

/// What was deleted, and what was not.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Deleted {
    /// The objects that are gone.
    pub deleted: Vec<ObjectRef>,
    /// The objects that were kept.
    pub kept: Vec<Kept>,
}

/// An object that was not deleted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{object} stays: {reason}")]
pub struct Kept {
    /// The object.
    pub object: ObjectRef,
    /// Why.
    pub reason: KeepReason,
}

/// Why an object was not deleted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeepReason {
    /// It cannot be proven to belong to the set.
    #[error(transparent)]
    Foreign(#[from] ForeignObject),
    /// It defines a kind of which there are objects, which would be deleted with it.
    #[error("{count} objects of its kind exist and would be deleted with it, such as {}", shown(.examples))]
    CustomResources {
        /// How many.
        count: usize,
        /// The first of them.
        examples: Vec<ObjectRef>,
    },
    /// It is a namespace that holds objects of others.
    #[error("it holds {count} objects that do not belong to the set, such as {}", shown(.examples))]
    NamespaceInUse {
        /// How many.
        count: usize,
        /// The first of them.
        examples: Vec<ObjectRef>,
    },
    /// It is a namespace, and nobody can tell what it holds.
    #[error("what it holds cannot be told, because APIs do not answer: {}", .apis.join(", "))]
    NamespaceUnknown {
        /// The APIs that do not answer.
        apis: Vec<String>,
    },
}

/// Objects could not be deleted. Those that are left are still in the inventory.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DeleteError {
    /// Objects could not be deleted.
    #[error("{}", Failures(.0))]
    Objects(Vec<(ObjectRef, ApiError)>),
    /// Objects do not go away.
    #[error(transparent)]
    NotGone(#[from] NotGoneError),
    /// The inventory could not be read or written; nothing is deleted without it.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

struct Failures<'e>(&'e [(ObjectRef, ApiError)]);

impl fmt::Display for Failures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not all objects could be deleted:")?;
        let mut failures = self.0.iter();
        failures.try_for_each(|(object, error)| write!(f, "\n{object}: {}", error_chain(error)))
    }
}

pub(super) fn shown(objects: &[ObjectRef]) -> String {
    let objects: Vec<String> = objects.iter().map(ToString::to_string).collect();
    objects.join(", ")
}

/// How many objects are named as examples.
pub(super) const EXAMPLES: usize = 3;

/// How often a deletion is tried of an object that changes all the time.
const ATTEMPTS: usize = 10;

impl Default for DeleteOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(120),
            namespaces: NamespaceContent::Keep {
                expendable: Vec::new(),
            },
        }
    }
}

/// What became of one object.
enum Outcome {
    Gone,
    /// It is being deleted; its UID.
    Going(Resource, String),
    Kept(KeepReason),
}

impl ApplySet<'_> {
    /// Deletes all objects of the set in reverse order, and then its inventory.
    ///
    /// What cannot be proven to belong to the set is kept, and forgotten.
    pub async fn delete(&self, options: &DeleteOptions) -> Result<Deleted, DeleteError> {
        let entries = self.inventory().await?.entries().collect();
        let deleted = self.delete_entries(entries, options).await?;
        self.update_inventory(|inventory| {
            for kept in &deleted.kept {
                inventory.remove(&kept.object);
            }
        })
        .await?;
        self.delete_inventory().await?;
        Ok(deleted)
    }

    /// Deletes objects of the inventory in reverse order, and removes from it those that are gone or foreign.
    pub(super) async fn delete_entries(
        &self,
        entries: Vec<Entry>,
        options: &DeleteOptions,
    ) -> Result<Deleted, DeleteError> {
        let objects = entries.iter().map(|entry| entry.object.clone()).collect();
        let mut report = Deleted::default();
        for (_, stage) in deletion_stages(objects) {
            let stage: Vec<&Entry> = entries
                .iter()
                .filter(|entry| stage.contains(&entry.object))
                .collect();
            let outcome = self.delete_stage(&stage, options, &mut report).await;
            self.update_inventory(|inventory| {
                let foreign = report
                    .kept
                    .iter()
                    .filter(|kept| matches!(kept.reason, KeepReason::Foreign(_)));
                let foreign = foreign.map(|kept| &kept.object);
                report
                    .deleted
                    .iter()
                    .chain(foreign)
                    .for_each(|object| inventory.remove(object));
            })
            .await?;
            outcome?;
        }
        Ok(report)
    }

    async fn delete_stage(
        &self,
        stage: &[&Entry],
        options: &DeleteOptions,
        report: &mut Deleted,
    ) -> Result<(), DeleteError> {
        let deletions = stage.iter().map(|entry| self.delete_entry(entry, options));
        let outcomes = concurrently(deletions.collect()).await;
        let mut going = Vec::new();
        let mut errors = Vec::new();
        for (entry, outcome) in stage.iter().zip(outcomes) {
            let object = entry.object.clone();
            match outcome {
                Ok(Outcome::Gone) => report.deleted.push(object),
                Ok(Outcome::Going(resource, uid)) => going.push((resource, object, uid)),
                Ok(Outcome::Kept(reason)) => report.kept.push(Kept { object, reason }),
                Err(error) => errors.push((object, error)),
            }
        }
        let gone = self.cluster.wait_until_gone(&going, options.timeout).await;
        match gone {
            Ok(Ok(())) => report
                .deleted
                .extend(going.into_iter().map(|(_, object, _)| object)),
            Ok(Err(not_gone)) => {
                let is_there = |object: &ObjectRef| {
                    not_gone.objects.iter().any(|there| there.object == *object)
                };
                let gone = going.into_iter().map(|(_, object, _)| object);
                report
                    .deleted
                    .extend(gone.filter(|object| !is_there(object)));
                return Err(not_gone.into());
            }
            Err(error) => return Err(InventoryError::from(error).into()),
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(DeleteError::Objects(errors))
        }
    }

    async fn delete_entry(
        &self,
        entry: &Entry,
        options: &DeleteOptions,
    ) -> Result<Outcome, ApiError> {
        let object = &entry.object;
        let resource = match self.cluster.preferred_resource(&object.kind).await {
            Ok(resource) => resource,
            // With its definition all objects of a kind are gone.
            Err(DiscoveryError::NotServed { .. }) => return Ok(Outcome::Gone),
            Err(error) => return Err(error.into()),
        };
        for attempt in 1.. {
            let namespace = object.namespace.as_deref();
            let found = self
                .cluster
                .find_in(&resource, namespace, &object.name, Detail::Metadata)
                .await?;
            let Some(live) = found else {
                return Ok(Outcome::Gone);
            };
            if let Err(foreign) = check_deletion(&live, entry, &self.owner, &self.id) {
                return Ok(Outcome::Kept(foreign.into()));
            }
            let uid = live.uid().unwrap_or_default().to_owned();
            if live.is_terminating() {
                return Ok(Outcome::Going(resource, uid));
            }
            if let Some(reason) = self.guard(&live, options).await? {
                return Ok(Outcome::Kept(reason));
            }
            match self.cluster.delete(&resource, &live).await? {
                Deletion::Accepted => return Ok(Outcome::Going(resource, uid)),
                Deletion::Gone => return Ok(Outcome::Gone),
                // Controllers write the status all the time: look again.
                Deletion::Changed if attempt < ATTEMPTS => {}
                Deletion::Changed => break,
            }
        }
        Err(ApiError::UnexpectedAnswer(format!(
            "DELETE of {object}, which changes all the time"
        )))
    }

    /// Returns why an object of the set must stay, because others would lose something with it.
    async fn guard(
        &self,
        live: &Object,
        options: &DeleteOptions,
    ) -> Result<Option<KeepReason>, ApiError> {
        if defines_kind(live.reference()) {
            return self.guard_definition(live, options).await;
        }
        if !live.reference().kind.is("", "Namespace") {
            return Ok(None);
        }
        let NamespaceContent::Keep { expendable } = &options.namespaces else {
            return Ok(None);
        };
        let is_expendable = |object: &Object| expendable.contains(object.reference());
        let namespace = &live.reference().name;
        let found = namespace_content(self.cluster, namespace, is_expendable).await?;
        Ok(match found {
            Content::Nothing => None,
            Content::Objects { count, examples } => {
                Some(KeepReason::NamespaceInUse { count, examples })
            }
            Content::Unknown { apis } => Some(KeepReason::NamespaceUnknown { apis }),
        })
    }

    async fn guard_definition(
        &self,
        definition: &Object,
        options: &DeleteOptions,
    ) -> Result<Option<KeepReason>, ApiError> {
        let mut objects = self.custom_resources(definition.reference()).await?;
        if let NamespaceContent::Keep { expendable } = &options.namespaces {
            objects.retain(|object| !expendable.contains(object.reference()));
        }
        if objects.is_empty() {
            return Ok(None);
        }
        Ok(Some(KeepReason::CustomResources {
            count: objects.len(),
            examples: objects
                .iter()
                .take(EXAMPLES)
                .map(|object| object.reference().clone())
                .collect(),
        }))
    }
}

pub(super) fn defines_kind(object: &ObjectRef) -> bool {
    object
        .kind
        .is("apiextensions.k8s.io", "CustomResourceDefinition")
}

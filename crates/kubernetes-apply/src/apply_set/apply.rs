//! Applying a set: everything is looked up first, then written stage by stage, then pruned.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use super::delete::{DeleteError, DeleteOptions, Deleted, Kept, NamespaceContent};
use super::parent::InventoryError;
use super::prepare::Prepared;
use super::{ApplySet, PART_OF_LABEL};
use crate::apply::{Applier, ApplyError, ApplyFailure, Existing};
use crate::cluster::{Detail, PatchMode, Resource};
use crate::concurrently::concurrently;
use crate::error_chain::error_chain;
use crate::inventory::{Entry, Inventory};
use crate::object::{GroupKind, Kind, Object, ObjectRef};
use crate::order::{Stage, by_stage, defined_kind};
use crate::ownership::Adoption;
use crate::readiness::Rules;
use crate::stored_versions::{MigrationError, MigrationOptions, MigrationPlan, Migrator};
use crate::wait::{NotGoneError, WaitError};

/// How a set is applied.
#[derive(Clone, Debug)]
pub struct ApplyOptions {
    /// The namespace of objects that need one and name none.
    pub default_namespace: Option<String>,
    /// Which objects may be stored anew when a definition drops a version.
    pub migration: MigrationOptions,
    /// Which objects may be taken over that do not carry the owner's label.
    pub adoption: Adoption,
    /// Whether objects that were applied earlier and are not among these are deleted.
    pub prune: bool,
    /// Objects that may be deleted with a namespace that is no longer wanted, or with the definition of their kind,
    /// such as what a controller of the set writes.
    pub expendable: Vec<ObjectRef>,
    /// How long to wait for definitions to be served, and for objects that are being deleted to go.
    pub timeout: Duration,
}

/// What was applied.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// The objects, as the cluster has them, in the order in which they were applied.
    pub objects: Vec<Object>,
    /// What was pruned.
    pub pruned: Deleted,
}

/// A set could not be applied. What was applied until then is in its inventory, and the next apply goes on
/// from there.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApplySetError {
    /// Objects could not be applied.
    #[error("{}", ObjectErrors(.0))]
    Objects(Vec<ApplyError>),
    /// The inventory could not be read or written; nothing is applied without it.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// A definition drops a version in which objects are stored.
    #[error(transparent)]
    StoredVersions(#[from] Box<MigrationError>),
    /// Definitions are not served in time.
    #[error("the custom resource definitions were applied, but the cluster does not serve them")]
    Definitions(#[source] WaitError),
    /// Objects that are to be made again are still being deleted.
    #[error(
        "objects that are to be made again are still being deleted; try again when they are gone"
    )]
    Terminating(#[source] NotGoneError),
    /// All was applied, and pruning failed.
    #[error("all objects were applied, but those that are no longer wanted could not be deleted")]
    Prune(#[source] DeleteError),
}

struct ObjectErrors<'e>(&'e [ApplyError]);

impl fmt::Display for ObjectErrors<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [error] => f.write_str(&error_chain(error)),
            errors => {
                write!(f, "{} objects could not be applied:", errors.len())?;
                errors
                    .iter()
                    .try_for_each(|error| write!(f, "\n{}", error_chain(error)))
            }
        }
    }
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self {
            default_namespace: None,
            adoption: Adoption::Never,
            prune: true,
            expendable: Vec::new(),
            migration: MigrationOptions::default(),
            timeout: Duration::from_secs(120),
        }
    }
}

impl Applied {
    /// Returns kind and name of each object, as [`ApplySet::wait_until_ready`] takes them.
    pub fn references(&self) -> Vec<(Kind, ObjectRef)> {
        let objects = self.objects.iter();
        objects
            .map(|object| (object.kind(), object.reference().clone()))
            .collect()
    }

    /// Returns the objects that were no longer wanted and are kept.
    pub fn kept(&self) -> &[Kept] {
        &self.pruned.kept
    }
}

/// An object and what is known about it; `None` until its kind is served.
struct Planned {
    prepared: Prepared,
    existing: Option<Existing>,
}

impl Planned {
    fn kind(&self) -> &GroupKind {
        &self.prepared.object.reference().kind
    }

    fn reference(&self) -> ObjectRef {
        self.prepared.object.reference().clone()
    }
}

impl ApplySet<'_> {
    /// Applies objects.
    ///
    /// First all of them are looked up: if one is somebody else's, nothing is written at all. Then they are
    /// listed in the inventory, and applied stage by stage. An error ends it with the stage in which it
    /// happens. When all are applied, those that are no longer wanted are deleted.
    pub async fn apply(
        &self,
        objects: Vec<Object>,
        options: &ApplyOptions,
    ) -> Result<Applied, ApplySetError> {
        let migrator = self.migrator(options);
        let (planned, migrations) = self.plan(objects, options).await?;
        let wanted: Vec<ObjectRef> = planned.iter().map(Planned::reference).collect();
        self.update_inventory(|inventory| {
            for Planned { prepared, existing } in &planned {
                let object = prepared.object.reference();
                match existing {
                    Some(Existing::Present { uid }) => inventory.record(object, uid),
                    None if inventory.contains(object) => {}
                    Some(_) | None => inventory.announce(object),
                }
            }
        })
        .await?;

        let mut applied = Applied::default();
        for (resource, plan) in &migrations {
            migrator.migrate(resource, plan).await?;
        }
        let outcome = self
            .apply_stages(&migrator.applier, planned, options, &mut applied.objects)
            .await;
        let recorded = self
            .update_inventory(|inventory| {
                for object in &applied.objects {
                    if let Some(uid) = object.uid() {
                        inventory.record(object.reference(), uid);
                    }
                }
            })
            .await;
        outcome?;
        let inventory = recorded?;
        let obsolete = self.obsolete(&inventory, &wanted, &applied.objects).await?;
        if options.prune && !obsolete.is_empty() {
            let options = DeleteOptions {
                timeout: options.timeout,
                namespaces: NamespaceContent::Keep {
                    expendable: options.expendable.clone(),
                },
            };
            let pruned = self.delete_entries(obsolete, &options).await;
            applied.pruned = pruned.map_err(ApplySetError::Prune)?;
        }
        Ok(applied)
    }

    /// Looks objects up as [`apply`](Self::apply) does before its first write, and fails where that would fail.
    ///
    /// Nothing is written. A program that applies several sets can refuse all of them before it writes any.
    pub async fn check(
        &self,
        objects: Vec<Object>,
        options: &ApplyOptions,
    ) -> Result<(), ApplySetError> {
        self.plan(objects, options).await.map(drop)
    }

    /// Looks up what there is of the objects, and what becomes of those of definitions that exist.
    async fn plan(
        &self,
        objects: Vec<Object>,
        options: &ApplyOptions,
    ) -> Result<(Vec<Planned>, Vec<(Resource, MigrationPlan)>), ApplySetError> {
        let migrator = self.migrator(options);
        let namespace = options.default_namespace.as_deref();
        let prepared = self
            .prepare(objects, namespace)
            .await
            .map_err(ApplySetError::Objects)?;
        let existing = self
            .look_up_all(&migrator.applier, &prepared, options)
            .await?;
        let planned: Vec<Planned> = prepared
            .into_iter()
            .zip(existing)
            .map(|(prepared, existing)| Planned { prepared, existing })
            .collect();
        let migrations = plan_migrations(&migrator, &planned).await?;
        Ok((planned, migrations))
    }

    fn migrator<'a>(&'a self, options: &'a ApplyOptions) -> Migrator<'a> {
        Migrator {
            applier: Applier {
                cluster: self.cluster,
                owner: &self.owner,
                set: Some(&self.id),
                adoption: &options.adoption,
            },
            options: &options.migration,
            timeout: options.timeout,
        }
    }

    /// Returns the objects that are no longer wanted.
    ///
    /// One that was applied under another kind, such as one that has moved to another group, has the same UID.
    /// It is taken off the inventory and stays.
    async fn obsolete(
        &self,
        inventory: &Inventory,
        wanted: &[ObjectRef],
        applied: &[Object],
    ) -> Result<Vec<Entry>, InventoryError> {
        let is_moved = |entry: &Entry| {
            let uid = entry.uid.as_deref();
            uid.is_some() && applied.iter().any(|object| object.uid() == uid)
        };
        let (moved, obsolete): (Vec<Entry>, Vec<Entry>) =
            inventory.obsolete(wanted).into_iter().partition(is_moved);
        if !moved.is_empty() {
            self.update_inventory(|inventory| {
                moved
                    .iter()
                    .for_each(|entry| inventory.remove(&entry.object));
            })
            .await?;
        }
        Ok(obsolete)
    }

    /// Looks all objects up. Those that are being deleted are waited for, and then all are looked up again,
    /// because others may have gone with them.
    async fn look_up_all(
        &self,
        applier: &Applier<'_>,
        prepared: &[Prepared],
        options: &ApplyOptions,
    ) -> Result<Vec<Option<Existing>>, ApplySetError> {
        let deadline = Instant::now() + options.timeout;
        loop {
            let look_ups = prepared.iter().map(|it| look_up_served(applier, it));
            let found = concurrently(look_ups.collect()).await;
            let mut existing = Vec::new();
            let mut errors = Vec::new();
            let mut terminating = Vec::new();
            for (
                Prepared {
                    object, resource, ..
                },
                found,
            ) in prepared.iter().zip(found)
            {
                let object = object.reference().clone();
                match found {
                    Ok(Some(Existing::Terminating { uid })) => {
                        terminating.push((resource.clone(), object, uid));
                    }
                    Ok(found) => existing.push(found),
                    Err(reason) => errors.push(ApplyError { object, reason }),
                }
            }
            if !errors.is_empty() {
                return Err(ApplySetError::Objects(errors));
            }
            if terminating.is_empty() {
                return Ok(existing);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let gone = self.cluster.wait_until_gone(&terminating, left).await;
            gone.map_err(InventoryError::from)?
                .map_err(ApplySetError::Terminating)?;
        }
    }

    /// Applies the stages in order, and adds to `applied` what was applied, also when it fails.
    ///
    /// Definitions are waited for as late as possible: the cluster prepares them while other objects are
    /// applied.
    async fn apply_stages(
        &self,
        applier: &Applier<'_>,
        planned: Vec<Planned>,
        options: &ApplyOptions,
        applied: &mut Vec<Object>,
    ) -> Result<(), ApplySetError> {
        let mut definitions: Vec<Object> = Vec::new();
        for (stage, planned) in by_stage(planned, Planned::kind) {
            if stage == Stage::CustomResources {
                self.wait_for_definitions(std::mem::take(&mut definitions), options)
                    .await?;
            }
            let writes = planned.iter().map(|it| apply_planned(applier, it));
            let outcomes = concurrently(writes.collect()).await;
            let mut errors = Vec::new();
            for (it, outcome) in planned.iter().zip(outcomes) {
                match outcome {
                    Ok(object) => {
                        if stage == Stage::Definitions {
                            definitions.push(object.clone());
                        }
                        applied.push(object);
                    }
                    Err(reason) => errors.push(ApplyError {
                        object: it.prepared.object.reference().clone(),
                        reason,
                    }),
                }
            }
            if !errors.is_empty() {
                return Err(ApplySetError::Objects(errors));
            }
        }
        self.wait_for_definitions(definitions, options).await
    }

    async fn wait_for_definitions(
        &self,
        definitions: Vec<Object>,
        options: &ApplyOptions,
    ) -> Result<(), ApplySetError> {
        if definitions.is_empty() {
            return Ok(());
        }
        let definitions: Vec<(Kind, ObjectRef)> = definitions
            .iter()
            .map(|object| (object.kind(), object.reference().clone()))
            .collect();
        let selector = format!("{PART_OF_LABEL}={}", self.id);
        let rules = Rules::default();
        self.cluster
            .wait_until_ready(&definitions, &selector, &rules, options.timeout)
            .await
            .map_err(ApplySetError::Definitions)?;
        self.cluster.forget_kinds();
        Ok(())
    }
}

/// Checks what becomes of the objects of definitions that exist. Nothing is written.
async fn plan_migrations(
    migrator: &Migrator<'_>,
    planned: &[Planned],
) -> Result<Vec<(Resource, MigrationPlan)>, ApplySetError> {
    let mut plans = Vec::new();
    for Planned { prepared, existing } in planned {
        let Prepared {
            object, resource, ..
        } = prepared;
        let exists = matches!(existing, Some(Existing::Present { .. }));
        if !exists || defined_kind(object).is_none() {
            continue;
        }
        let name = &object.reference().name;
        let cluster = migrator.applier.cluster;
        let found = cluster.find_in(resource, None, name, Detail::Full).await;
        let found = found.map_err(|error| {
            ApplySetError::Objects(vec![ApplyError {
                object: object.reference().clone(),
                reason: error.into(),
            }])
        })?;
        if let Some(live) = found
            && let Some(plan) = migrator.plan(live, object).await?
        {
            plans.push((resource.clone(), plan));
        }
    }
    Ok(plans)
}

/// Looks an object up, if its kind is served.
async fn look_up_served(
    applier: &Applier<'_>,
    prepared: &Prepared,
) -> Result<Option<Existing>, ApplyFailure> {
    if !prepared.served {
        return Ok(None);
    }
    let found = applier
        .look_up(&prepared.resource, prepared.object.reference())
        .await;
    found.map(Some)
}

async fn apply_planned(
    applier: &Applier<'_>,
    Planned { prepared, existing }: &Planned,
) -> Result<Object, ApplyFailure> {
    let Prepared {
        object, resource, ..
    } = prepared;
    let existing = match existing {
        Some(existing) => existing.clone(),
        // Its kind was not served before; now its definition is there.
        None => match applier.look_up(resource, object.reference()).await? {
            Existing::Terminating { .. } => return Err(ApplyFailure::Terminating),
            existing => existing,
        },
    };
    applier
        .apply(resource, object, &existing, PatchMode::Write)
        .await
}

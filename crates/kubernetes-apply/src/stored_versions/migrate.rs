//! Storing all objects of a kind in another version.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::rule::{VersionChange, intermediate, rename_managed_versions, version_change};
use crate::apply::{Applier, ApplyFailure, Existing};
use crate::cluster::{ApiError, Detail, DiscoveryError, PatchMode, Resource};
use crate::concurrently::concurrently;
use crate::object::{ApiVersion, Kind, Object, ObjectRef};
use crate::wait::Pauses;

/// Which objects may be stored anew when a definition drops a version.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MigrationOptions {
    /// The key of a label of namespaces whose objects count as the owner's, whatever their own labels.
    pub namespace_label: Option<String>,
    /// Whether objects of others are stored anew too. That runs the webhooks of others.
    pub foreign: bool,
}

/// A definition cannot drop a version.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "{definition} drops the stored version {version}, and its objects cannot be stored as {target}"
)]
pub struct MigrationError {
    /// The definition.
    pub definition: ObjectRef,
    /// The version that is dropped.
    pub version: String,
    /// The version in which the objects would be stored.
    pub target: String,
    /// Why.
    #[source]
    pub reason: MigrationFailure,
}

/// Why objects cannot be stored in another version.
#[derive(Clone, Debug, thiserror::Error)]
pub enum MigrationFailure {
    /// Objects are somebody else's.
    #[error(
        "{count} of them belong to others, such as {}; let their owners write them in the new version, or allow \
         the migration of foreign objects",
        shown(.examples)
    )]
    Foreign {
        /// How many.
        count: usize,
        /// The first of them.
        examples: Vec<ObjectRef>,
    },
    /// An object would lose a field.
    #[error("{object} would lose {pointer}; write it in the new version first")]
    Lossy {
        /// The object.
        object: ObjectRef,
        /// The field as a JSON pointer.
        pointer: String,
    },
    /// An object cannot be converted.
    #[error("{object} cannot be converted; the webhook that converts objects must run")]
    Conversion {
        /// The object.
        object: ObjectRef,
        /// Why.
        source: ApiError,
    },
    /// An object could not be written.
    #[error("{object} cannot be written")]
    Write {
        /// The object.
        object: ObjectRef,
        /// Why.
        source: ApiError,
    },
    /// The definition that stores the new version is not served in time.
    #[error("the definition that stores both versions is not served in time")]
    NotServed,
    /// The definition changes all the time.
    #[error("the definition is being changed by others; try again")]
    Contended,
    /// The definition could not be changed.
    #[error(transparent)]
    Definition(#[from] ApplyFailure),
    /// The cluster could not be asked.
    #[error(transparent)]
    Api(#[from] ApiError),
}

fn shown(objects: &[ObjectRef]) -> String {
    let objects: Vec<String> = objects.iter().map(ToString::to_string).collect();
    objects.join(", ")
}

/// A definition that drops a version, checked.
pub(crate) struct MigrationPlan {
    definition: Object,
    change: VersionChange,
    intermediate: Option<Object>,
    kind: String,
    group: String,
    conversion_checked: bool,
}

/// How objects are stored anew.
#[derive(Clone, Copy)]
pub(crate) struct Migrator<'a> {
    pub(crate) applier: Applier<'a>,
    pub(crate) options: &'a MigrationOptions,
    pub(crate) timeout: Duration,
}

const EXAMPLES: usize = 3;
const ATTEMPTS: usize = 5;

impl MigrationPlan {
    fn error(&self, reason: MigrationFailure) -> Box<MigrationError> {
        Box::new(MigrationError {
            definition: self.definition.reference().clone(),
            version: self.change.dropped.join(", "),
            target: self.change.target.clone(),
            reason,
        })
    }

    fn target(&self) -> Kind {
        let api_version = ApiVersion {
            group: self.group.clone(),
            version: self.change.target.clone(),
        };
        api_version.kind(&self.kind)
    }
}

impl Migrator<'_> {
    /// Checks whether an update of a definition drops a version, and whether its objects can be stored anew.
    /// Nothing is written.
    pub(crate) async fn plan(
        &self,
        live: Object,
        wanted: &Object,
    ) -> Result<Option<MigrationPlan>, Box<MigrationError>> {
        let Some(change) = version_change(&live, wanted) else {
            return Ok(None);
        };
        let text = |pointer| live.text(pointer).unwrap_or_default().to_owned();
        let mut plan = MigrationPlan {
            intermediate: intermediate(&live, wanted, &change),
            kind: text("/spec/names/kind"),
            group: text("/spec/group"),
            change,
            definition: live,
            conversion_checked: false,
        };
        match self.check(&plan).await {
            Ok(checked) => plan.conversion_checked = checked,
            Err(reason) => return Err(plan.error(reason)),
        }
        Ok(Some(plan))
    }

    /// Checks that all objects may be stored anew, and if the target version is served that they can. Returns
    /// whether it is.
    async fn check(&self, plan: &MigrationPlan) -> Result<bool, MigrationFailure> {
        let cluster = self.applier.cluster;
        let group_kind = plan.target().group_kind();
        let listing = match cluster.resource(&plan.target()).await {
            Ok(resource) => resource,
            Err(DiscoveryError::NotServed { .. }) => {
                let preferred = cluster.preferred_resource(&group_kind).await;
                preferred.map_err(ApiError::from)?
            }
            Err(error) => return Err(ApiError::from(error).into()),
        };
        let objects = cluster
            .list_in(&listing, None, "", Detail::Metadata)
            .await?;
        let own_namespaces = self.own_namespaces().await?;
        let is_own = |object: &Object| {
            let namespace = object.reference().namespace.as_ref();
            self.applier.owner.label.is_on(object)
                || namespace.is_some_and(|namespace| own_namespaces.contains(namespace))
        };
        let foreign: Vec<&Object> = objects.iter().filter(|object| !is_own(object)).collect();
        if !foreign.is_empty() && !self.options.foreign {
            let examples = foreign.iter().take(EXAMPLES);
            return Err(MigrationFailure::Foreign {
                count: foreign.len(),
                examples: examples.map(|object| object.reference().clone()).collect(),
            });
        }
        let served = listing.kind == plan.target();
        if served {
            let target = &plan.target();
            let checks = objects
                .iter()
                .map(|object| self.check_conversion(target, plan, object));
            concurrently(checks.collect())
                .await
                .into_iter()
                .collect::<Result<(), _>>()?;
        }
        tracing::info!(
            kind = %group_kind,
            objects = objects.len(),
            from = plan.change.dropped.join(", "),
            to = plan.change.target,
            "objects will be stored in another version"
        );
        Ok(served)
    }

    async fn own_namespaces(&self) -> Result<BTreeSet<String>, ApiError> {
        let Some(label) = &self.options.namespace_label else {
            return Ok(BTreeSet::new());
        };
        let kind = Kind::new("v1", "Namespace");
        let namespaces = self
            .applier
            .cluster
            .list(&kind, None, label, Detail::Metadata)
            .await?;
        Ok(namespaces
            .into_iter()
            .map(|it| it.reference().name.clone())
            .collect())
    }

    /// Checks that an object can be read in the target version without losing a field.
    async fn check_conversion(
        &self,
        target: &Kind,
        plan: &MigrationPlan,
        object: &Object,
    ) -> Result<(), MigrationFailure> {
        let cluster = self.applier.cluster;
        let reference = object.reference().clone();
        let namespace = reference.namespace.as_deref();
        let read = cluster
            .find(target, namespace, &reference.name, Detail::Full)
            .await;
        let converted = match read {
            Ok(Some(converted)) => converted,
            Ok(None) => return Ok(()),
            Err(source) => {
                return Err(MigrationFailure::Conversion {
                    object: reference,
                    source,
                });
            }
        };
        let strategy = plan.definition.text("/spec/conversion/strategy");
        if strategy.unwrap_or("None") != "None" {
            return Ok(());
        }
        // Without a webhook only the version is renamed, and what the new schema lacks is cut off.
        for version in &plan.change.dropped {
            let api_version = ApiVersion {
                group: plan.group.clone(),
                version: version.clone(),
            };
            let kind = api_version.kind(&plan.kind);
            let old = match cluster
                .find(&kind, namespace, &reference.name, Detail::Full)
                .await
            {
                Ok(Some(old)) => old,
                Ok(None) => return Ok(()),
                // It is stored but not served, so nobody can read it in that version.
                Err(ApiError::Discovery(DiscoveryError::NotServed { .. })) => continue,
                Err(error) => return Err(error.into()),
            };
            if let Some(pointer) = lost_field("", old.json(), converted.json()) {
                return Err(MigrationFailure::Lossy {
                    object: reference,
                    pointer,
                });
            }
        }
        Ok(())
    }

    /// Stores all objects in the target version, and strikes the dropped ones off.
    pub(crate) async fn migrate(
        &self,
        resource: &Resource,
        plan: &MigrationPlan,
    ) -> Result<(), Box<MigrationError>> {
        self.store_all(resource, plan)
            .await
            .map_err(|reason| plan.error(reason))
    }

    async fn store_all(
        &self,
        resource: &Resource,
        plan: &MigrationPlan,
    ) -> Result<(), MigrationFailure> {
        if let Some(intermediate) = &plan.intermediate {
            let existing = Existing::Present {
                uid: plan.definition.uid().unwrap_or_default().to_owned(),
            };
            let mode = PatchMode::Write;
            self.applier
                .apply(resource, intermediate, &existing, mode)
                .await?;
        }
        let target = self.wait_for_target(plan).await?;
        let cluster = self.applier.cluster;
        for _ in 0..ATTEMPTS {
            let name = &plan.definition.reference().name;
            let found = cluster.find_in(resource, None, name, Detail::Full).await?;
            let Some(definition) = found else {
                return Err(ApplyFailure::ReplacedMeanwhile.into());
            };
            let objects = cluster.list_in(&target, None, "", Detail::Metadata).await?;
            let rewrites = objects
                .iter()
                .map(|object| self.rewrite(&target, plan, object));
            concurrently(rewrites.collect())
                .await
                .into_iter()
                .collect::<Result<(), _>>()?;
            let stored = [plan.change.target.clone()];
            if cluster
                .set_stored_versions(resource, &definition, &stored)
                .await?
            {
                return Ok(());
            }
            // The definition has changed, so objects may have been written in between.
        }
        Err(MigrationFailure::Contended)
    }

    async fn wait_for_target(&self, plan: &MigrationPlan) -> Result<Resource, MigrationFailure> {
        let cluster = self.applier.cluster;
        let mut pauses = Pauses::until(Instant::now() + self.timeout);
        loop {
            cluster.forget_kinds();
            match cluster.resource(&plan.target()).await {
                Ok(resource) => return Ok(resource),
                Err(DiscoveryError::NotServed { .. }) if pauses.pause().await => {}
                Err(DiscoveryError::NotServed { .. }) => return Err(MigrationFailure::NotServed),
                Err(error) => return Err(ApiError::from(error).into()),
            }
        }
    }

    /// Writes an object as it is. The server stores it in the version that the definition says.
    async fn rewrite(
        &self,
        target: &Resource,
        plan: &MigrationPlan,
        object: &Object,
    ) -> Result<(), MigrationFailure> {
        if !plan.conversion_checked {
            self.check_conversion(&target.kind, plan, object).await?;
        }
        let object = object.reference();
        let cluster = self.applier.cluster;
        let manager = &self.applier.owner.field_manager;
        let namespace = object.namespace.as_deref();
        let failed = |source| MigrationFailure::Write {
            object: object.clone(),
            source,
        };
        for _ in 0..ATTEMPTS {
            let found = cluster
                .find_in(target, namespace, &object.name, Detail::Full)
                .await?;
            let Some(mut live) = found else { return Ok(()) };
            rename_managed_versions(&mut live, &plan.change);
            let mode = PatchMode::Write;
            let written = cluster.replace(target, &live, manager, "", mode).await;
            let Err(error) = written else { return Ok(()) };
            let is_race = ["Conflict", "NotFound"]
                .iter()
                .any(|reason| error.call().is_some_and(|call| call.is_refused_for(reason)));
            if !is_race {
                return Err(failed(error));
            }
        }
        Err(MigrationFailure::Contended)
    }
}

/// Returns the first field of an object that another one lacks, outside of `metadata` and `apiVersion`.
fn lost_field(pointer: &str, before: &Value, after: &Value) -> Option<String> {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => before.iter().find_map(|(name, value)| {
            if pointer.is_empty() && name == "metadata" {
                return None;
            }
            let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            match after.get(name) {
                Some(after) => lost_field(&pointer, value, after),
                None => Some(pointer),
            }
        }),
        (Value::Array(before), Value::Array(after)) => {
            let mut pairs = before.iter().zip(after).enumerate();
            pairs.find_map(|(index, (before, after))| {
                lost_field(&format!("{pointer}/{index}"), before, after)
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_that_the_new_version_lacks_is_found() {
        let before = json!({"apiVersion": "e.com/v1alpha1", "metadata": {"managedFields": []},
                            "spec": {"list": [{"a": 1}, {"a": 1, "b/c": 2}]}});
        let mut after = before.clone();
        after["apiVersion"] = "e.com/v1".into();
        after["metadata"] = json!({});
        assert_eq!(lost_field("", &before, &after), None);
        after["spec"]["list"][1]
            .as_object_mut()
            .unwrap()
            .remove("b/c");
        assert_eq!(
            lost_field("", &before, &after).as_deref(),
            Some("/spec/list/1/b~1c")
        );
    }
}

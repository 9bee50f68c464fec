//! Comparing a set with what the cluster has.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::ApplySet;
use super::prepare::Prepared;
use crate::apply::{Applier, ApplyError, ApplyFailure, Existing};
use crate::cluster::{ApiError, Cluster, Detail, PatchMode, Resource};
use crate::drift::{Difference, confirm, suspect};
use crate::error_chain::error_chain;
use crate::object::{Kind, Object, ObjectRef};
use crate::ownership::{Adoption, ForeignObject, Label, check_claim};

/// An object that is not as it was applied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ObjectDrift {
    /// The object.
    pub object: ObjectRef,
    /// How it differs.
    pub drift: Drift,
}

/// How an object differs from what was applied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Drift {
    /// It is gone.
    Gone,
    /// An object of that name is somebody else's.
    Foreign(ForeignObject),
    /// Fields differ, and an apply would change them.
    Fields(Vec<Difference>),
    /// Its kind is not served any more.
    KindNotServed,
}

/// Nobody can tell whether objects differ. It says nothing about them.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot compare {object} with what was applied")]
pub struct DriftError {
    /// The object.
    pub object: ObjectRef,
    /// Why.
    #[source]
    pub reason: ApplyFailure,
}

type Shared<T> = Arc<OnceCell<T>>;
type Found = BTreeMap<ObjectRef, Object>;

/// The objects of a cluster that carry an owner's label, as one process sees them during one refresh.
///
/// Each kind is listed once, whatever the number of sets that are compared.
pub struct LiveObjects<'c> {
    cluster: &'c Cluster,
    selector: String,
    kinds: Mutex<HashMap<Kind, Shared<Found>>>,
}

impl<'c> LiveObjects<'c> {
    /// Begins a refresh; nothing is sent.
    pub fn new(cluster: &'c Cluster, label: &Label) -> Self {
        Self {
            cluster,
            selector: label.selector(),
            kinds: Mutex::default(),
        }
    }

    /// Returns an object; `None` if it does not exist.
    async fn get(
        &self,
        resource: &Resource,
        object: &ObjectRef,
    ) -> Result<Option<Object>, ApiError> {
        let cell = {
            let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
            kinds.entry(resource.kind.clone()).or_default().clone()
        };
        let found = cell
            .get_or_try_init(|| async {
                let list = self
                    .cluster
                    .list_in(resource, None, &self.selector, Detail::Full)
                    .await?;
                let named = list
                    .into_iter()
                    .map(|live| (live.reference().clone(), live));
                Ok::<Found, ApiError>(named.collect())
            })
            .await?;
        if let Some(live) = found.get(object) {
            return Ok(Some(live.clone()));
        }
        // A list says what there is, and not what there is not.
        let namespace = object.namespace.as_deref();
        self.cluster
            .find_in(resource, namespace, &object.name, Detail::Full)
            .await
    }
}

impl ApplySet<'_> {
    /// Returns the objects that are not as they would be applied.
    ///
    /// A field that seems to differ is held against a dry run, because the server may store a value in
    /// another form. Nothing is written.
    pub async fn drift(
        &self,
        objects: Vec<Object>,
        default_namespace: Option<&str>,
        live: &LiveObjects<'_>,
    ) -> Result<Vec<ObjectDrift>, DriftError> {
        let mut drifts = Vec::new();
        let (prepared, not_served) = self.prepare_served(objects, default_namespace).await?;
        drifts.extend(not_served.into_iter().map(|object| ObjectDrift {
            object,
            drift: Drift::KindNotServed,
        }));
        for prepared in prepared {
            let object = prepared.object.reference().clone();
            match self.drift_of(&prepared, live).await {
                Ok(Some(drift)) => drifts.push(ObjectDrift { object, drift }),
                Ok(None) => {}
                Err(reason) => return Err(DriftError { object, reason }),
            }
        }
        Ok(drifts)
    }

    /// Prepares the objects whose kinds are served, and names the others.
    async fn prepare_served(
        &self,
        objects: Vec<Object>,
        default_namespace: Option<&str>,
    ) -> Result<(Vec<Prepared>, Vec<ObjectRef>), DriftError> {
        let mut remaining = objects;
        let mut not_served = Vec::new();
        loop {
            let errors = match self.prepare(remaining.clone(), default_namespace).await {
                Ok(prepared) => {
                    let (served, pending): (Vec<_>, Vec<_>) =
                        prepared.into_iter().partition(|it| it.served);
                    let pending = pending.iter().map(|it| it.object.reference().clone());
                    not_served.extend(pending);
                    return Ok((served, not_served));
                }
                Err(errors) => errors,
            };
            for ApplyError { object, reason } in errors {
                if !reason.is_not_served() {
                    return Err(DriftError { object, reason });
                }
                remaining.retain(|it| *it.reference() != object);
                not_served.push(object);
            }
        }
    }

    async fn drift_of(
        &self,
        Prepared {
            object, resource, ..
        }: &Prepared,
        live: &LiveObjects<'_>,
    ) -> Result<Option<Drift>, ApplyFailure> {
        let Some(found) = live.get(resource, object.reference()).await? else {
            return Ok(Some(Drift::Gone));
        };
        if let Err(foreign) = check_claim(&found, &self.owner, Some(&self.id), &Adoption::Never) {
            return Ok(Some(Drift::Foreign(foreign)));
        }
        if found.is_terminating() {
            return Ok(Some(Drift::Gone));
        }
        let manager = &self.owner.field_manager;
        if suspect(object, &found, manager).is_empty() {
            return Ok(None);
        }
        let applier = Applier {
            cluster: self.cluster,
            owner: &self.owner,
            set: Some(&self.id),
            adoption: &Adoption::Never,
        };
        let existing = Existing::Present {
            uid: found.uid().unwrap_or_default().to_owned(),
        };
        let dry_run = applier
            .apply(resource, object, &existing, PatchMode::DryRun)
            .await?;
        let differences = confirm(object, &found, &dry_run, manager);
        Ok((!differences.is_empty()).then_some(Drift::Fields(differences)))
    }
}

impl std::fmt::Display for ObjectDrift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ", self.object)?;
        match &self.drift {
            Drift::Gone => f.write_str("is gone"),
            Drift::Foreign(foreign) => write!(f, "is not ours: {}", error_chain(foreign)),
            Drift::KindNotServed => {
                f.write_str("is of a kind that the cluster does not serve any more")
            }
            Drift::Fields(differences) => {
                let differences: Vec<String> =
                    differences.iter().map(ToString::to_string).collect();
                f.write_str(&differences.join(", "))
            }
        }
    }
}

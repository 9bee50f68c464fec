//! The objects of an owner, listed once, and what has changed in them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::apply::{Applier, ApplyError, ApplyFailure, Existing};
use crate::cluster::{ApiError, Cluster, Detail, PatchMode, Resource};
use crate::drift::{Difference, confirm, suspect};
use crate::error_chain::error_chain;
use crate::object::{Kind, Object, ObjectRef};
use crate::ownership::{Adoption, ForeignObject, Label, Owner, check_ownership};

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

type Found = BTreeMap<ObjectRef, Object>;

/// The lists of one refresh, which several [`LiveObjects`] of one cluster and one label can share.
#[derive(Default)]
pub struct Listings(Mutex<HashMap<Kind, Arc<OnceCell<Found>>>>);

/// The objects of a cluster that carry an owner's label, as one process sees them during one refresh.
///
/// Each kind is listed once, whatever the number of sets and objects that are compared.
pub struct LiveObjects<'c> {
    cluster: &'c Cluster,
    selector: String,
    listings: Arc<Listings>,
}

impl<'c> LiveObjects<'c> {
    /// Begins a refresh; nothing is sent.
    pub fn new(cluster: &'c Cluster, label: &Label) -> Self {
        Self {
            cluster,
            selector: label.selector(),
            listings: Arc::default(),
        }
    }

    /// Continues a refresh of the same cluster and label; nothing is sent.
    #[must_use]
    pub fn with_listings(self, listings: Arc<Listings>) -> Self {
        Self { listings, ..self }
    }

    /// Returns all objects of a kind with the label.
    pub async fn all(&self, kind: &Kind) -> Result<Vec<Object>, ApiError> {
        let resource = self.cluster.resource(kind).await?;
        let cell = self.list(&resource).await?;
        Ok(cell
            .get()
            .into_iter()
            .flat_map(Found::values)
            .cloned()
            .collect())
    }

    /// Returns how an object that belongs to no set differs from what would be applied; `None` if it does not.
    ///
    /// A field that seems to differ is held against a dry run, because the server may store a value in
    /// another form. Nothing is written.
    pub async fn compare(
        &self,
        object: &Object,
        owner: &Owner,
    ) -> Result<Option<Drift>, ApplyError> {
        let mut object = object.clone();
        object.normalize();
        owner.label.put_on(&mut object);
        let failed = |reason| ApplyError {
            object: object.reference().clone(),
            reason,
        };
        let resource = self.cluster.resource(&object.kind()).await;
        let resource = resource.map_err(|error| failed(ApiError::from(error).into()))?;
        self.compare_prepared(&resource, &object, owner, None)
            .await
            .map_err(failed)
    }

    /// Compares an object that is prepared for an apply, of a set or of none.
    pub(crate) async fn compare_prepared(
        &self,
        resource: &Resource,
        object: &Object,
        owner: &Owner,
        set: Option<&str>,
    ) -> Result<Option<Drift>, ApplyFailure> {
        let Some(found) = self.get(resource, object.reference()).await? else {
            return Ok(Some(Drift::Gone));
        };
        if let Err(foreign) = check_ownership(&found, owner, set, &Adoption::Never) {
            return Ok(Some(Drift::Foreign(foreign)));
        }
        if found.is_terminating() {
            return Ok(Some(Drift::Gone));
        }
        let manager = &owner.field_manager;
        if suspect(object, &found, manager).is_empty() {
            return Ok(None);
        }
        let applier = Applier {
            cluster: self.cluster,
            owner,
            set,
            adoption: &Adoption::Never,
        };
        let existing = Existing::Present {
            uid: found.uid().unwrap_or_default().to_owned(),
        };
        let mode = PatchMode::DryRun;
        let dry_run = applier.apply(resource, object, &existing, mode).await?;
        let differences = confirm(object, &found, &dry_run, manager);
        Ok((!differences.is_empty()).then_some(Drift::Fields(differences)))
    }

    /// Returns an object; `None` if it does not exist.
    async fn get(
        &self,
        resource: &Resource,
        object: &ObjectRef,
    ) -> Result<Option<Object>, ApiError> {
        let cell = self.list(resource).await?;
        if let Some(live) = cell.get().and_then(|found| found.get(object)) {
            return Ok(Some(live.clone()));
        }
        // A list says what there is, and not what there is not.
        let namespace = object.namespace.as_deref();
        self.cluster
            .find_in(resource, namespace, &object.name, Detail::Full)
            .await
    }

    /// Lists a kind, if that has not been done. Concurrent callers share one request.
    async fn list(&self, resource: &Resource) -> Result<Arc<OnceCell<Found>>, ApiError> {
        let cell = {
            let kinds = &self.listings.0;
            let mut kinds = kinds.lock().unwrap_or_else(PoisonError::into_inner);
            kinds.entry(resource.kind.clone()).or_default().clone()
        };
        let list = || async {
            let list = self
                .cluster
                .list_in(resource, None, &self.selector, Detail::Full)
                .await?;
            let named = list
                .into_iter()
                .map(|live| (live.reference().clone(), live));
            Ok::<Found, ApiError>(named.collect())
        };
        cell.get_or_try_init(list).await?;
        Ok(cell)
    }
}

impl fmt::Debug for Listings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listings").finish_non_exhaustive()
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("is gone"),
            Self::Foreign(foreign) => write!(f, "is not ours: {}", error_chain(foreign)),
            Self::KindNotServed => {
                f.write_str("is of a kind that the cluster does not serve any more")
            }
            Self::Fields(differences) => {
                let differences: Vec<String> =
                    differences.iter().map(ToString::to_string).collect();
                f.write_str(&differences.join(", "))
            }
        }
    }
}

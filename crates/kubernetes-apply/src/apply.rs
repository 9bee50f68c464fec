//! Applying one object by the rules of ownership.

use crate::cluster::{ApiError, Cluster, Detail, DiscoveryError, Force, PatchMode, Resource};
use crate::object::{Object, ObjectRef};
use crate::ownership::{
    Adoption, Conflict, ForeignObject, Owner, Resolution, check_ownership, conflicts, resolve,
};

/// An object could not be applied.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot apply {object}")]
pub struct ApplyError {
    /// The object.
    pub object: ObjectRef,
    /// Why.
    #[source]
    pub reason: ApplyFailure,
}

/// Why an object could not be applied.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApplyFailure {
    /// It exists and is somebody else's.
    #[error("{0}; it was not changed: remove it, or choose another name")]
    Foreign(ForeignObject),
    /// Somebody else created it while it was being applied.
    #[error("somebody else created it at the same time; look at it before the next attempt")]
    CreatedMeanwhile,
    /// It was deleted or replaced while it was being applied.
    #[error(
        "it was deleted or replaced while it was being applied; the next attempt makes it again"
    )]
    ReplacedMeanwhile,
    /// Other managers own fields of it, and taking them over did not succeed.
    #[error(
        "other field managers own fields of it: {}; remove the fields, or have those managers give them up",
        list(.conflicts)
    )]
    Conflict {
        /// The fields, with their managers.
        conflicts: Vec<Conflict>,
    },
    /// It or its namespace is being deleted.
    #[error("it or its namespace is still being deleted; try again when that has ended")]
    Terminating,
    /// It must be in a namespace and names none.
    #[error("objects of this kind are in a namespace, and it names none")]
    NoNamespace,
    /// It is listed twice with different content.
    #[error("it is listed twice with different content")]
    Duplicate,
    /// The cluster could not be asked, or refused.
    #[error(transparent)]
    Api(#[from] ApiError),
}

/// What is known of an object before it is applied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Existing {
    /// It does not exist.
    Absent,
    /// It exists and may be changed.
    Present { uid: String },
    /// It exists, would be the owner's, and is being deleted.
    Terminating { uid: String },
}

/// How objects are applied.
#[derive(Clone, Copy)]
pub(crate) struct Applier<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) owner: &'a Owner,
    /// The id of the set to which the objects belong.
    pub(crate) set: Option<&'a str>,
    pub(crate) adoption: &'a Adoption,
}

fn list(conflicts: &[Conflict]) -> String {
    let shown: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
    shown.join(", ")
}

impl From<ForeignObject> for ApplyFailure {
    fn from(foreign: ForeignObject) -> Self {
        Self::Foreign(foreign)
    }
}

impl Applier<'_> {
    /// Reads whether an object exists, and checks that it may be changed.
    pub(crate) async fn look_up(
        &self,
        resource: &Resource,
        object: &ObjectRef,
    ) -> Result<Existing, ApplyFailure> {
        let namespace = object.namespace.as_deref();
        let found = self
            .cluster
            .find_in(resource, namespace, &object.name, Detail::Metadata)
            .await?;
        let Some(live) = found else {
            return Ok(Existing::Absent);
        };
        check_ownership(&live, self.owner, self.set, self.adoption)?;
        let uid = live.uid().unwrap_or_default().to_owned();
        Ok(if live.is_terminating() {
            Existing::Terminating { uid }
        } else {
            Existing::Present { uid }
        })
    }

    /// Applies an object of which is known whether it exists, and returns what the cluster made of it.
    pub(crate) async fn apply(
        &self,
        resource: &Resource,
        object: &Object,
        existing: &Existing,
        mode: PatchMode,
    ) -> Result<Object, ApplyFailure> {
        let mut object = object.clone();
        match existing {
            Existing::Absent => {}
            Existing::Present { uid } => object.require_uid(uid),
            Existing::Terminating { .. } => return Err(ApplyFailure::Terminating),
        }
        let mut force = Force::No;
        // One round as it is, one without what is left to others, and one that takes the rest over.
        for _ in 0..3 {
            let manager = &self.owner.field_manager;
            let error = match self
                .cluster
                .patch(resource, &object, manager, force, mode)
                .await
            {
                Ok((applied, created)) => return self.check_applied(existing, applied, created),
                Err(error) => error,
            };
            let conflicts = field_conflicts(&error);
            if conflicts.is_empty() {
                return Err(failure(error, existing));
            }
            if *existing == Existing::Absent {
                return Err(ApplyFailure::CreatedMeanwhile);
            }
            // Whoever has taken fields may have taken the object: look again.
            self.look_up(resource, object.reference()).await?;
            match resolve(&conflicts) {
                Resolution::Force if force == Force::Yes => {
                    return Err(ApplyFailure::Conflict { conflicts });
                }
                Resolution::Force => force = Force::Yes,
                Resolution::Yield(yielded) => {
                    for conflict in &yielded {
                        tracing::debug!(object = %object.reference(), %conflict, "left to its manager");
                        conflict.remove_from(&mut object);
                    }
                }
            }
        }
        Err(ApplyFailure::Conflict {
            conflicts: Vec::new(),
        })
    }

    /// Checks that an object that did not exist was made here. An attempt that was repeated answers that it
    /// exists, but then nobody else has written it, except the controllers that report its status.
    fn check_applied(
        &self,
        existing: &Existing,
        applied: Object,
        created: bool,
    ) -> Result<Object, ApplyFailure> {
        let ours = self.owner.field_manager.as_str();
        let mut writers = applied.list("/metadata/managedFields").iter();
        let is_foreign = writers.any(|entry| {
            let text = |field| entry.get(field).and_then(serde_json::Value::as_str);
            text("manager") != Some(ours) && text("subresource").is_none_or(str::is_empty)
        });
        if *existing == Existing::Absent && !created && is_foreign {
            return Err(ApplyFailure::CreatedMeanwhile);
        }
        Ok(applied)
    }
}

fn field_conflicts(error: &ApiError) -> Vec<Conflict> {
    let status = error.call().and_then(|call| call.status());
    status.map_or_else(Vec::new, |status| conflicts(status.json()))
}

fn failure(error: ApiError, existing: &Existing) -> ApplyFailure {
    let status = error.call().and_then(|call| call.status());
    let Some(status) = status else {
        return error.into();
    };
    match status.reason.as_str() {
        // The UID is a precondition: nothing is there, or something else.
        "Invalid" if status.fields.iter().any(|field| field == "metadata.uid") => {
            ApplyFailure::ReplacedMeanwhile
        }
        "Conflict" if matches!(existing, Existing::Present { .. }) => {
            ApplyFailure::ReplacedMeanwhile
        }
        "Forbidden" if status.message.contains("being terminated") => ApplyFailure::Terminating,
        _ => error.into(),
    }
}

impl ApplyFailure {
    /// Whether the kind is not served.
    pub(crate) fn is_not_served(&self) -> bool {
        matches!(
            self,
            Self::Api(ApiError::Discovery(DiscoveryError::NotServed { .. }))
        )
    }
}

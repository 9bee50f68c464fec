//! Comparing a set with what the cluster has.

use std::fmt;

use super::ApplySet;
use super::prepare::Prepared;
use crate::apply::{ApplyError, ApplyFailure};
use crate::live_objects::{Drift, LiveObjects};
use crate::object::{Object, ObjectRef};

/// An object that is not as it was applied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ObjectDrift {
    /// The object.
    pub object: ObjectRef,
    /// How it differs.
    pub drift: Drift,
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
            match live
                .compare_prepared(
                    &prepared.resource,
                    &prepared.object,
                    &self.owner,
                    Some(&self.id),
                )
                .await
            {
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
}

impl fmt::Display for ObjectDrift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.object, self.drift)
    }
}

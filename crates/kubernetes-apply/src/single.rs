//! Objects that belong to no set: shared ones, which several programs or parts of one write.

use std::time::Duration;

use serde_json::Value;

use crate::apply::{Applier, ApplyError, ApplyFailure, Existing};
use crate::cluster::{ApiError, Cluster, Deletion, Detail, Force, PatchMode, Resource};
use crate::object::{Kind, Object, ObjectRef};
use crate::ownership::{Adoption, FieldManager, ForeignObject, Owner, check_ownership};
use crate::wait::NotGoneError;

/// An object could not be deleted.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot delete {object}")]
pub struct DeleteObjectError {
    /// The object.
    pub object: ObjectRef,
    /// Why.
    #[source]
    pub reason: DeleteObjectFailure,
}

/// Why an object could not be deleted.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DeleteObjectFailure {
    /// It cannot be proven to be the owner's.
    #[error(transparent)]
    Foreign(#[from] ForeignObject),
    /// It does not go away.
    #[error(transparent)]
    NotGone(#[from] NotGoneError),
    /// It changes all the time.
    #[error("it is being changed by others; try again")]
    Contended,
    /// The cluster could not be asked, or refused.
    #[error(transparent)]
    Api(#[from] ApiError),
}

/// How often a change is tried that others get in the way of.
const ATTEMPTS: usize = 10;

impl Cluster {
    /// Applies an object that belongs to no set, by the same rules of ownership.
    ///
    /// Several managers may apply one object with different fields: each one adds and removes its own, such
    /// as keys of a `ConfigMap`. They must have one label.
    pub async fn apply(
        &self,
        object: &Object,
        owner: &Owner,
        adoption: &Adoption,
    ) -> Result<Object, ApplyError> {
        let mut object = object.clone();
        object.normalize();
        owner.label.put_on(&mut object);
        let failed = |reason| ApplyError {
            object: object.reference().clone(),
            reason,
        };
        let applier = Applier {
            cluster: self,
            owner,
            set: None,
            adoption,
        };
        let resource = self.resource(&object.kind()).await;
        let resource = resource.map_err(|error| failed(ApiError::from(error).into()))?;
        if resource.namespaced && object.reference().namespace.is_none() {
            return Err(failed(ApplyFailure::NoNamespace));
        }
        let existing = applier
            .look_up(&resource, object.reference())
            .await
            .map_err(failed)?;
        let mut applied = applier
            .apply(&resource, &object, &existing, PatchMode::Write)
            .await;
        if existing == Existing::Absent && matches!(applied, Err(ApplyFailure::CreatedMeanwhile)) {
            // Another part of the program may have made the shared object at the same time: look again.
            let existing = applier
                .look_up(&resource, object.reference())
                .await
                .map_err(failed)?;
            applied = applier
                .apply(&resource, &object, &existing, PatchMode::Write)
                .await;
        }
        applied.map_err(failed)
    }

    /// Looks an object up as [`apply`](Self::apply) does before it writes, and fails where that would fail because the
    /// object is somebody else's. Nothing is written.
    pub async fn check_apply(
        &self,
        object: &Object,
        owner: &Owner,
        adoption: &Adoption,
    ) -> Result<(), ApplyError> {
        let failed = |reason| ApplyError {
            object: object.reference().clone(),
            reason,
        };
        let applier = Applier {
            cluster: self,
            owner,
            set: None,
            adoption,
        };
        let resource = self.resource(&object.kind()).await;
        let resource = resource.map_err(|error| failed(ApiError::from(error).into()))?;
        let found = applier.look_up(&resource, object.reference()).await;
        found.map(drop).map_err(failed)
    }

    /// Deletes an object that belongs to no set, and waits until it is gone.
    ///
    /// It must carry the owner's label and have this UID.
    pub async fn delete_own(
        &self,
        object: &ObjectRef,
        uid: &str,
        owner: &Owner,
        timeout: Duration,
    ) -> Result<(), DeleteObjectError> {
        let deletion = self.try_delete_own(object, uid, owner, timeout).await;
        deletion.map_err(|reason| DeleteObjectError {
            object: object.clone(),
            reason,
        })
    }

    /// Begins to delete an object that belongs to no set, without waiting until it is gone.
    ///
    /// It must carry the owner's label and have this UID. One that is gone, or being deleted, is no error.
    pub async fn begin_deletion(
        &self,
        object: &ObjectRef,
        uid: &str,
        owner: &Owner,
    ) -> Result<(), DeleteObjectError> {
        let begun = self.request_deletion(object, uid, owner).await;
        begun.map(drop).map_err(|reason| DeleteObjectError {
            object: object.clone(),
            reason,
        })
    }

    /// Waits until an object with this UID is gone that is being deleted.
    pub async fn wait_for_deletion(
        &self,
        object: &ObjectRef,
        uid: &str,
        timeout: Duration,
    ) -> Result<(), DeleteObjectError> {
        let wait = async {
            let resource = self.preferred_resource(&object.kind).await;
            let resource = resource.map_err(ApiError::from)?;
            let going = [(resource, object.clone(), uid.to_owned())];
            Ok::<_, DeleteObjectFailure>(self.wait_until_gone(&going, timeout).await??)
        };
        wait.await.map_err(|reason| DeleteObjectError {
            object: object.clone(),
            reason,
        })
    }

    async fn try_delete_own(
        &self,
        object: &ObjectRef,
        uid: &str,
        owner: &Owner,
        timeout: Duration,
    ) -> Result<(), DeleteObjectFailure> {
        match self.request_deletion(object, uid, owner).await? {
            Some(resource) => {
                let going = [(resource, object.clone(), uid.to_owned())];
                Ok(self.wait_until_gone(&going, timeout).await??)
            }
            None => Ok(()),
        }
    }

    /// Requests the deletion of an object; `None` if it is gone.
    async fn request_deletion(
        &self,
        object: &ObjectRef,
        uid: &str,
        owner: &Owner,
    ) -> Result<Option<Resource>, DeleteObjectFailure> {
        let resource = self
            .preferred_resource(&object.kind)
            .await
            .map_err(ApiError::from)?;
        for _ in 0..ATTEMPTS {
            let namespace = object.namespace.as_deref();
            let found = self
                .find_in(&resource, namespace, &object.name, Detail::Metadata)
                .await?;
            let Some(live) = found else { return Ok(None) };
            check_ownership(&live, owner, None, &Adoption::Never)?;
            if live.uid() != Some(uid) {
                return Err(DeleteObjectFailure::Foreign(ForeignObject::OtherUid {
                    recorded: uid.to_owned(),
                    found: live.uid().unwrap_or_default().to_owned(),
                }));
            }
            let deletion = if live.is_terminating() {
                Deletion::Accepted
            } else {
                self.delete(&resource, &live).await?
            };
            match deletion {
                Deletion::Gone => return Ok(None),
                Deletion::Changed => {}
                Deletion::Accepted => return Ok(Some(resource)),
            }
        }
        Err(DeleteObjectFailure::Contended)
    }

    /// Changes an object by reading it, changing it and writing it back; `None` if it does not exist.
    ///
    /// It is for lists that server-side apply treats as one value, such as the `imagePullSecrets` of a service
    /// account. If somebody else writes in between, `change` is called again with what is there then. There is
    /// no check whose object it is.
    pub async fn modify(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
        manager: &FieldManager,
        change: impl Fn(&mut Value),
    ) -> Result<Option<Object>, ApiError> {
        let resource = self.resource(kind).await?;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let found = self
                .find_in(&resource, namespace, name, Detail::Full)
                .await?;
            let Some(live) = found else { return Ok(None) };
            let mut changed = live.clone();
            change(changed.json_mut());
            if changed == live {
                return Ok(Some(live));
            }
            match self
                .replace(&resource, &changed, manager, "", PatchMode::Write)
                .await
            {
                Ok(written) => return Ok(Some(written)),
                Err(error) if attempts < ATTEMPTS && error.is_conflict() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Applies fields of an object that somebody else has made, such as one key of a `ConfigMap`; `None` if it does
    /// not exist.
    ///
    /// The fields are the manager's from then on, whoever had them; those that it no longer applies go. The object
    /// gets no label, and there is no check whose it is.
    pub async fn apply_fields(
        &self,
        object: &Object,
        manager: &FieldManager,
    ) -> Result<Option<Object>, ApiError> {
        let resource = self.resource(&object.kind()).await?;
        let reference = object.reference();
        let namespace = reference.namespace.as_deref();
        let found = self
            .find_in(&resource, namespace, &reference.name, Detail::Metadata)
            .await?;
        let Some(uid) = found.as_ref().and_then(Object::uid) else {
            return Ok(None);
        };
        let mut object = object.clone();
        // Without it, the object would be made if it were deleted in between.
        object.require_uid(uid);
        let (applied, _) = self
            .patch(&resource, &object, manager, Force::Yes, PatchMode::Write)
            .await?;
        Ok(Some(applied))
    }

    /// Asks the server what it would answer to the application of an object, which nobody makes.
    ///
    /// Nothing is looked up and nothing is taken over. It tells what admission refuses.
    pub async fn dry_run(
        &self,
        object: &Object,
        manager: &FieldManager,
    ) -> Result<Object, ApiError> {
        let resource = self.resource(&object.kind()).await?;
        let mode = PatchMode::DryRun;
        let (answer, _) = self
            .patch(&resource, object, manager, Force::No, mode)
            .await?;
        Ok(answer)
    }

    /// Creates an object, which must not exist, and returns it.
    ///
    /// It is never sent twice if it may have been processed.
    pub async fn create(
        &self,
        object: &Object,
        manager: &FieldManager,
    ) -> Result<Object, ApiError> {
        let resource = self.resource(&object.kind()).await?;
        self.create_in(&resource, object, manager).await
    }

    /// Replaces an object by one that holds the resource version that was read; if the object has changed since,
    /// it fails with [`ApiError::is_conflict`]. There is no check whose object it is.
    pub async fn replace_read(
        &self,
        object: &Object,
        manager: &FieldManager,
    ) -> Result<Object, ApiError> {
        let resource = self.resource(&object.kind()).await?;
        self.replace(&resource, object, manager, "", PatchMode::Write)
            .await
    }
}

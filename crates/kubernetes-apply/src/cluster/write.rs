//! Writing one object. What may be written is decided elsewhere.

use http::{Method, StatusCode};
use serde_json::json;

use super::discovery::escape;
use super::read::read_object;
use super::{ApiError, Cluster, Resource};
use crate::connection::ApiRequest;
use crate::object::Object;
use crate::ownership::FieldManager;

/// Whether an apply takes over fields of other managers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Force {
    No,
    Yes,
}

/// Whether an apply changes anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PatchMode {
    Write,
    DryRun,
}

/// What became of a request to delete an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Deletion {
    /// It is being deleted, or is gone.
    Accepted,
    /// It was gone.
    Gone,
    /// It has changed since it was read, or is another object of that name.
    Changed,
}

impl Cluster {
    /// Applies an object, and returns it with whether it was created.
    pub(crate) async fn patch(
        &self,
        resource: &Resource,
        object: &Object,
        manager: &FieldManager,
        force: Force,
        mode: PatchMode,
    ) -> Result<(Object, bool), ApiError> {
        let reference = object.reference();
        let path = resource.path(reference.namespace.as_deref(), &reference.name);
        let manager = escape(manager.as_str());
        let force = force == Force::Yes;
        let dry_run = match mode {
            PatchMode::Write => "",
            PatchMode::DryRun => "&dryRun=All",
        };
        let uri =
            format!("{path}?fieldManager={manager}&force={force}&fieldValidation=Strict{dry_run}");
        let request = ApiRequest::new(Method::PATCH, uri)
            .json(Some("application/apply-patch+yaml"), object.json())
            .quoting_secrets(reference.kind.is("", "Secret"))
            // It says what the object shall be, whatever it is.
            .repeatable();
        let (status, json) = self.connection.send(&request).await?;
        Ok((read_object(resource, json)?, status == StatusCode::CREATED))
    }

    /// Creates an object, which must not exist.
    pub(crate) async fn create_in(
        &self,
        resource: &Resource,
        object: &Object,
        manager: &FieldManager,
    ) -> Result<Object, ApiError> {
        let reference = object.reference();
        let path = resource.collection(reference.namespace.as_deref());
        let uri = format!("{path}?fieldManager={}", escape(manager.as_str()));
        let request = ApiRequest::new(Method::POST, uri)
            .json(None, object.json())
            .quoting_secrets(reference.kind.is("", "Secret"));
        let (_, json) = self.connection.send(&request).await?;
        read_object(resource, json)
    }

    /// Replaces an object by one that holds the resource version that was read. `subresource` begins with a
    /// slash, or is empty.
    pub(crate) async fn replace(
        &self,
        resource: &Resource,
        object: &Object,
        manager: &FieldManager,
        subresource: &str,
        mode: PatchMode,
    ) -> Result<Object, ApiError> {
        let reference = object.reference();
        let path = resource.path(reference.namespace.as_deref(), &reference.name);
        let dry_run = match mode {
            PatchMode::Write => "",
            PatchMode::DryRun => "&dryRun=All",
        };
        let manager = escape(manager.as_str());
        let uri = format!("{path}{subresource}?fieldManager={manager}{dry_run}");
        let request = ApiRequest::new(Method::PUT, uri)
            .json(None, object.json())
            .quoting_secrets(reference.kind.is("", "Secret"));
        let (_, json) = self.connection.send(&request).await?;
        read_object(resource, json)
    }

    /// Writes which versions of a kind are stored, if the definition is still as it was read; returns whether
    /// it was.
    pub(crate) async fn set_stored_versions(
        &self,
        resource: &Resource,
        definition: &Object,
        versions: &[String],
    ) -> Result<bool, ApiError> {
        let path = resource.path(None, &definition.reference().name);
        let patch = json!({
            "metadata": {"resourceVersion": definition.resource_version()},
            "status": {"storedVersions": versions},
        });
        let request = ApiRequest::new(Method::PATCH, format!("{path}/status"))
            .json(Some("application/merge-patch+json"), &patch);
        match self.connection.send(&request).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_refused_for("Conflict") => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes an object if it is still as it was read. `live` comes from the cluster.
    ///
    /// What belongs to a workload is deleted before it.
    pub(crate) async fn delete(
        &self,
        resource: &Resource,
        live: &Object,
    ) -> Result<Deletion, ApiError> {
        let reference = live.reference();
        let propagation = match reference.kind.group.as_str() {
            "apps" | "batch" => "Foreground",
            _ => "Background",
        };
        let options = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation,
            "preconditions": {"uid": live.uid(), "resourceVersion": live.resource_version()},
        });
        let path = resource.path(reference.namespace.as_deref(), &reference.name);
        let request = ApiRequest::new(Method::DELETE, path)
            .json(None, &options)
            .repeatable();
        match self.connection.send(&request).await {
            Ok(_) => Ok(Deletion::Accepted),
            Err(error)
                if error
                    .refusal()
                    .is_some_and(|it| it.says_gone(&reference.name)) =>
            {
                Ok(Deletion::Gone)
            }
            Err(error) if error.is_refused_for("Conflict") => Ok(Deletion::Changed),
            Err(error) => Err(error.into()),
        }
    }
}

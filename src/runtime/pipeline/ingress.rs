//! The way from the gateway to the `EventSource` that GitLab calls.

use kubernetes_apply::object::{Object, ObjectError};
use nautes_model::RepositoryId;
use serde_json::{Value, json};
use url::Url;

use super::event_source::PORT;
use super::inputs::PipelineInputs;
use super::names::PipelineNames;
use crate::clusters::PRODUCT_LABEL;
use crate::components::Component;

/// The Ingress cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IngressError {
    /// The cluster has no address that webhooks could call.
    #[error("`{url}`, the address of webhooks of the cluster, has no host")]
    NoHost {
        /// The address.
        url: String,
    },
    /// It is not a Kubernetes object.
    #[error(transparent)]
    Object(#[from] ObjectError),
}

/// Returns the address that GitLab calls for a repository.
pub(crate) fn hook_url(
    names: &PipelineNames,
    webhook_base_url: &str,
    repository: RepositoryId,
) -> String {
    let base = webhook_base_url.trim_end_matches('/');
    format!("{base}{}", names.hook_path(repository))
}

/// Returns the Ingress, with one path for each repository; `None` if the runtime listens to none.
///
/// A path is compared as a whole: by prefix, `/product-4-a` would take the calls of `/product-4-ab`.
pub(crate) fn ingress(
    inputs: &PipelineInputs<'_>,
    webhook_base_url: &str,
) -> Result<Option<Object>, IngressError> {
    let names = inputs.names();
    let service = names.gitlab_service();
    let repositories = inputs.event_repositories().into_iter();
    let paths: Vec<Value> = repositories
        .map(|repository| {
            json!({
                "path": names.hook_path(repository),
                "pathType": "Exact",
                "backend": { "service": { "name": service, "port": { "number": PORT } } },
            })
        })
        .collect();
    if paths.is_empty() {
        return Ok(None);
    }
    let host = Url::parse(webhook_base_url)
        .ok()
        .and_then(|url| Some(url.host_str()?.to_owned()))
        .ok_or_else(|| IngressError::NoHost {
            url: webhook_base_url.to_owned(),
        })?;
    let object = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": names.gitlab(),
            "namespace": Component::ArgoEvents.namespace(),
            "labels": { PRODUCT_LABEL: inputs.product() },
        },
        "spec": {
            "ingressClassName": inputs.components.ingress_class,
            "rules": [{ "host": host, "http": { "paths": paths } }],
        },
    });
    Ok(Object::new(object).map(Some)?)
}

//! The way from the gateway to the `EventSource` that GitLab calls.

use kubernetes_apply::object::{Object, ObjectError};
use nautes_model::RepositoryId;
use serde_json::{Value, json};

use super::event_source::PORT;
use super::inputs::PipelineInputs;
use super::names::PipelineNames;
use crate::clusters::PRODUCT_LABEL;
use crate::components::Component;

/// Returns the address that GitLab calls for a repository.
pub(crate) fn hook_url(
    names: &PipelineNames,
    webhook_base_url: &str,
    repository: RepositoryId,
) -> String {
    let base = webhook_base_url.trim_end_matches('/');
    format!("{base}{}", names.hook_path(repository))
}

/// Returns the Ingress of a host, with one path for each repository; `None` if the runtime listens to none.
///
/// A path is compared as a whole: by prefix, `/product-4-a` would take the calls of `/product-4-ab`.
pub(crate) fn ingress(
    inputs: &PipelineInputs<'_>,
    host: &str,
) -> Result<Option<Object>, ObjectError> {
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
    Object::new(object).map(Some)
}

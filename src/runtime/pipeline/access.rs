//! The account of a Sensor, which may create pipeline runs in the namespace of its runtime and nothing else.

use kubernetes_apply::object::{Object, ObjectError};
use serde_json::json;

use super::inputs::PipelineInputs;
use crate::clusters::PRODUCT_LABEL;
use crate::components::Component;

const RBAC: &str = "rbac.authorization.k8s.io";

/// Returns the service account of the Sensor with its Role and its binding.
pub(crate) fn sensor_access(inputs: &PipelineInputs<'_>) -> Result<Vec<Object>, ObjectError> {
    let names = inputs.names();
    let name = names.uid();
    let namespace = inputs.runtime.effective_namespace();
    let account_namespace = Component::ArgoEvents.namespace();
    let metadata = |namespace: &str| {
        json!({
            "name": name,
            "namespace": namespace,
            "labels": { PRODUCT_LABEL: inputs.product() },
        })
    };
    let objects = [
        json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(account_namespace),
        }),
        json!({
            "apiVersion": format!("{RBAC}/v1"),
            "kind": "Role",
            "metadata": metadata(namespace),
            "rules": [{
                "apiGroups": ["tekton.dev"],
                "resources": ["pipelineruns"],
                "verbs": ["create"],
            }],
        }),
        json!({
            "apiVersion": format!("{RBAC}/v1"),
            "kind": "RoleBinding",
            "metadata": metadata(namespace),
            "roleRef": { "apiGroup": RBAC, "kind": "Role", "name": name },
            "subjects": [{
                "kind": "ServiceAccount",
                "namespace": account_namespace,
                "name": name,
            }],
        }),
    ];
    objects.into_iter().map(Object::new).collect()
}

//! The Hierarchical Namespace Controller: which namespaces it leaves alone.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::error::ComponentError;
use super::super::manifest::Manifest;

/// The settings of the controller.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hnc {
    /// The namespaces of all components of the cluster. Its webhook would stop their installation.
    pub excluded_namespaces: BTreeSet<String>,
}

/// Namespaces that no product may own.
const NEVER_INCLUDED: [&str; 5] = [
    "hnc-system",
    "kube-node-lease",
    "kube-public",
    "kube-system",
    "nautes",
];

impl Hnc {
    pub(in super::super) fn customise(
        &self,
        manifest: &mut Manifest,
    ) -> Result<(), ComponentError> {
        manifest.require("Deployment", "hnc-controller-manager")?;
        for pod in manifest.pod_specs() {
            let containers = pod.get_mut("containers").and_then(Value::as_array_mut);
            let manager = containers
                .into_iter()
                .flatten()
                .find(|container| container.get("name").and_then(Value::as_str) == Some("manager"));
            let arguments = manager
                .and_then(|manager| manager.get_mut("args"))
                .and_then(Value::as_array_mut);
            if let Some(arguments) = arguments {
                let excluded = self.excluded_namespaces.iter().map(String::as_str);
                let excluded: BTreeSet<_> = excluded.chain(NEVER_INCLUDED).collect();
                for namespace in excluded {
                    let argument = Value::from(format!("--excluded-namespace={namespace}"));
                    if !arguments.contains(&argument) {
                        arguments.push(argument);
                    }
                }
            }
        }
        Ok(())
    }
}

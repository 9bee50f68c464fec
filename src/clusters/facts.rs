//! What runtimes need to know of a cluster. It is kept in the cluster, so that they need neither the
//! tenant's repository nor a credential of an administrator.

use std::collections::{BTreeMap, BTreeSet};

use kubernetes_apply::object::{Object, ObjectError};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::names::{FACTS, NAMESPACE};
use crate::components::entry_points::EntryPoint;

/// The key of the `ConfigMap`.
const KEY: &str = "facts";

/// What runtimes need to know of a cluster; none of it is secret.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Facts {
    /// The UID of the namespace `kube-system`.
    pub(crate) cluster_uid: String,
    /// The name of the cluster, which is that of its auth mount in Vault too.
    pub(crate) name: String,
    /// `pipeline` or `deployment`; `None` for a host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) worker_type: Option<String>,
    /// The audience of tokens with which Vault verifies service accounts.
    pub(crate) vault_audience: String,
    /// The SHA-256 of the token with which Vault verifies others, in hexadecimal digits; `None` for a
    /// host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reviewer_token: Option<String>,
    /// Its components, and how they are reached.
    #[serde(default, flatten)]
    pub(crate) components: ComponentFacts,
    /// What products may use besides their own.
    #[serde(default, flatten)]
    pub(crate) products: ProductAccess,
}

/// What products may use in a cluster besides their own, by the names of the products.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub(crate) struct ProductAccess {
    /// For each namespace of a component, the products that may use it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) reserved_namespaces: BTreeMap<String, BTreeSet<String>>,
    /// For each product, the cluster-scoped resources that it may create.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) cluster_resources: BTreeMap<String, BTreeSet<ProductResource>>,
}

/// Cluster-scoped resources that a product may create, as an `AppProject` of Argo CD lists them.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct ProductResource {
    /// The API group.
    pub(crate) group: String,
    /// The kind.
    pub(crate) kind: String,
    /// The name, in which `*` stands for any characters; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

/// What runtimes need to know of the components of a cluster.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub(crate) struct ComponentFacts {
    /// The components by their names.
    pub(crate) components: BTreeMap<String, ComponentFact>,
    /// The gateways by the names of their Services.
    pub(crate) entry_points: BTreeMap<String, EntryPoint>,
    /// The name of the gateway's `IngressClass`.
    pub(crate) ingress_class: String,
    /// The address that webhooks call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) webhook_base_url: Option<String>,
    /// Whether GitLab can verify the certificate at this address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) webhook_tls_verifiable: Option<bool>,
    /// The address of Argo CD.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) argocd_url: Option<String>,
    /// The address of Tekton's dashboard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tekton_url: Option<String>,
    /// Images of the provider's own steps of pipelines, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) step_images: BTreeMap<String, String>,
}

/// A component of a cluster.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct ComponentFact {
    /// Its namespace.
    pub(crate) namespace: String,
    /// The version that the provider has installed; `None` if the component was there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
}

impl ProductAccess {
    /// Returns the namespaces of components that a product may use.
    pub(crate) fn namespaces_of(&self, product: &str) -> BTreeSet<String> {
        let namespaces = self.reserved_namespaces.iter();
        let allowed = namespaces.filter(|(_, products)| products.contains(product));
        allowed.map(|(namespace, _)| namespace.clone()).collect()
    }

    /// Returns the cluster-scoped resources that a product may create.
    pub(crate) fn resources_of(&self, product: &str) -> BTreeSet<ProductResource> {
        let resources = self.cluster_resources.get(product);
        resources.cloned().unwrap_or_default()
    }
}

impl Facts {
    /// Returns the `ConfigMap`.
    pub(crate) fn object(&self) -> Result<Object, ObjectError> {
        Object::new(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "namespace": NAMESPACE, "name": FACTS },
            "data": { KEY: json!(self).to_string() },
        }))
    }

    /// Reads the facts out of the `ConfigMap`; `None` if there are none that can be read.
    pub(crate) fn parse(object: &Object) -> Option<Self> {
        serde_json::from_str(object.text(&format!("/data/{KEY}"))?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_come_back_as_they_were_written() {
        let facts = Facts {
            cluster_uid: "4f0c".to_owned(),
            name: "deploy-01".to_owned(),
            worker_type: Some("deployment".to_owned()),
            vault_audience: "vault".to_owned(),
            reviewer_token: None,
            components: ComponentFacts {
                argocd_url: Some("https://argocd.example.com".to_owned()),
                ..ComponentFacts::default()
            },
            products: ProductAccess {
                reserved_namespaces: BTreeMap::from([(
                    "argo-rollouts".to_owned(),
                    BTreeSet::from(["shop".to_owned()]),
                )]),
                ..ProductAccess::default()
            },
        };
        let object = facts.object().unwrap();
        assert_eq!(Facts::parse(&object), Some(facts));
    }
}

//! The objects that give runtimes their rights, and those that limit them.

use std::collections::BTreeSet;

use kubernetes_apply::object::{Object, ObjectError};
use serde_json::{Value, json};

use super::policy::{AllowedResource, policies};
use super::rights::{RIGHTS, Right, Scope};
use crate::clusters::names::NAMESPACE;
use crate::clusters::token_account::RUNTIME_ACCOUNT;
use crate::components::Component;

const RBAC: &str = "rbac.authorization.k8s.io";

/// What the rights of runtimes depend on in a cluster.
#[derive(Clone, Debug)]
pub(crate) struct RuntimeAccess {
    /// The mount of Vault's Kubernetes auth method, below `auth/`.
    pub(crate) auth_mount: String,
    /// The address by which pods reach Vault.
    pub(crate) vault_address: String,
    /// The namespace on that server; `None` for the topmost one.
    pub(crate) vault_namespace: Option<String>,
    /// The namespace of Argo CD.
    pub(crate) argo_cd: String,
    /// Those namespaces of components that exist: a role needs its namespace.
    pub(crate) existing: BTreeSet<String>,
    /// Whether the cluster has admission policies, which is so from Kubernetes 1.30 on.
    pub(crate) has_policies: bool,
    /// The cluster-scoped resources that products may create.
    pub(crate) cluster_resources: BTreeSet<AllowedResource>,
    /// The namespaces of components that products may use.
    pub(crate) reserved_namespaces: BTreeSet<String>,
}

impl RuntimeAccess {
    /// Returns the objects.
    pub(crate) fn objects(&self) -> Result<Vec<Object>, ObjectError> {
        let account = json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": { "namespace": RUNTIME_ACCOUNT.namespace, "name": RUNTIME_ACCOUNT.name },
            "automountServiceAccountToken": false,
        });
        let mut objects = vec![account];
        if self.has_policies {
            objects.extend(policies(self));
        }
        for place in Scope::ALL {
            let namespace = self.namespace(place);
            let exists =
                |namespace: &str| namespace == NAMESPACE || self.existing.contains(namespace);
            if namespace.is_none_or(exists) {
                objects.extend(role(place, namespace));
            }
        }
        objects.into_iter().map(Object::new).collect()
    }

    /// Returns the namespace in which rights of a place hold; `None` for the whole cluster.
    pub(super) fn namespace(&self, place: Scope) -> Option<&str> {
        match place {
            Scope::Cluster => None,
            Scope::ArgoCd => Some(&self.argo_cd),
            Scope::ArgoEvents => Some(Component::ArgoEvents.namespace()),
            Scope::Own => Some(NAMESPACE),
        }
    }
}

/// Returns an object that the admission policy refuses to runtimes, and RBAC does not.
pub(crate) fn policy_probe() -> Result<Object, ObjectError> {
    Object::new(json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "namespace": NAMESPACE, "name": "nautes-policy-probe" },
    }))
}

fn role(place: Scope, namespace: Option<&str>) -> [Value; 2] {
    let rules: Vec<Value> = RIGHTS
        .iter()
        .filter(|right| right.place == place)
        .map(rule)
        .collect();
    let (kind, binding) = match namespace {
        None => ("ClusterRole", "ClusterRoleBinding"),
        Some(_) => ("Role", "RoleBinding"),
    };
    let name = RUNTIME_ACCOUNT.name;
    let mut metadata = json!({ "name": name });
    if let (Some(namespace), Some(metadata)) = (namespace, metadata.as_object_mut()) {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
    let role = json!({
        "apiVersion": format!("{RBAC}/v1"),
        "kind": kind,
        "metadata": metadata,
        "rules": rules,
    });
    let binding = json!({
        "apiVersion": format!("{RBAC}/v1"),
        "kind": binding,
        "metadata": metadata,
        "roleRef": { "apiGroup": RBAC, "kind": kind, "name": name },
        "subjects": [{
            "kind": "ServiceAccount",
            "namespace": RUNTIME_ACCOUNT.namespace,
            "name": name,
        }],
    });
    [role, binding]
}

fn rule(right: &Right) -> Value {
    let mut rule = json!({
        "apiGroups": [right.group],
        "resources": [right.resource],
        "verbs": right.verbs,
    });
    if let (false, Some(rule)) = (right.names.is_empty(), rule.as_object_mut()) {
        rule.insert("resourceNames".to_owned(), json!(right.names));
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_made_only_where_its_namespace_exists() {
        let access = RuntimeAccess {
            auth_mount: "deploy-01".to_owned(),
            vault_address: "https://vault.example.com".to_owned(),
            vault_namespace: None,
            argo_cd: "argocd".to_owned(),
            existing: BTreeSet::from(["argocd".to_owned()]),
            has_policies: false,
            cluster_resources: BTreeSet::new(),
            reserved_namespaces: BTreeSet::new(),
        };
        let objects = access.objects().unwrap();
        let namespaces = objects
            .iter()
            .map(|object| object.reference().namespace.as_deref());
        let namespaces: BTreeSet<_> = namespaces.collect();
        assert_eq!(
            namespaces,
            BTreeSet::from([None, Some("argocd"), Some("nautes")])
        );
    }
}

//! The objects that every cluster has before any component: the service account of the provider, and
//! in workers the one with which Vault verifies others.

use kubernetes_apply::object::{Object, ObjectError};
use serde_json::{Value, json};

use super::names::{MANAGED_BY, NAMESPACE, VAULT_NAMESPACE};
use super::token_account::REVIEWER_ACCOUNT;

/// The service account whose login proves that Vault can verify others.
pub(crate) const PROBE_ACCOUNT: &str = "nautes-probe";

/// The binding with which Vault may verify service accounts. Nautes gives it this name.
pub(crate) const REVIEWER_BINDING: &str = "role-tokenreview-binding";

/// Returns the namespace of what the provider itself needs.
pub(crate) fn own_namespace() -> Result<Object, ObjectError> {
    Object::new(namespace(NAMESPACE))
}

/// Returns the service account of the provider with all rights, in the order in which they are made.
///
/// The binding belongs to the namespace with this UID: it goes with it, so that one call removes all, and
/// the provider does not saw off the branch that it sits on.
pub(crate) fn own_account(namespace_uid: &str) -> Result<Vec<Object>, ObjectError> {
    let mut binding = cluster_role_binding(MANAGED_BY, "cluster-admin", NAMESPACE, MANAGED_BY);
    if let Some(metadata) = binding.get_mut("metadata").and_then(Value::as_object_mut) {
        let owner = json!([{
            "apiVersion": "v1",
            "kind": "Namespace",
            "name": NAMESPACE,
            "uid": namespace_uid,
        }]);
        metadata.insert("ownerReferences".to_owned(), owner);
    }
    let objects = [service_account(NAMESPACE, MANAGED_BY), binding];
    objects.into_iter().map(Object::new).collect()
}

/// Returns the accounts with which Vault verifies the service accounts of a worker, and proves that.
pub(crate) fn reviewer_accounts() -> Result<Vec<Object>, ObjectError> {
    let objects = [
        namespace(VAULT_NAMESPACE),
        service_account(REVIEWER_ACCOUNT.namespace, REVIEWER_ACCOUNT.name),
        cluster_role_binding(
            REVIEWER_BINDING,
            "system:auth-delegator",
            REVIEWER_ACCOUNT.namespace,
            REVIEWER_ACCOUNT.name,
        ),
        service_account(NAMESPACE, PROBE_ACCOUNT),
    ];
    objects.into_iter().map(Object::new).collect()
}

fn namespace(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } })
}

fn service_account(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": { "namespace": namespace, "name": name },
    })
}

fn cluster_role_binding(name: &str, role: &str, namespace: &str, account: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": { "name": name },
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": role,
        },
        "subjects": [{ "kind": "ServiceAccount", "namespace": namespace, "name": account }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rights_of_the_provider_go_with_its_namespace() {
        let objects = own_account("4f0c").unwrap();
        let binding = &objects[1];
        assert_eq!(
            binding.text("/metadata/ownerReferences/0/uid"),
            Some("4f0c")
        );
        assert_eq!(binding.reference().namespace, None);
        let in_namespace =
            |object: &&Object| object.reference().namespace.as_deref() == Some(NAMESPACE);
        assert_eq!(objects.iter().filter(in_namespace).count(), 1);
    }
}

//! The objects that every cluster has before any component: the service account of the provider, and
//! in workers the one with which Vault verifies others.

use kubernetes_apply::object::{Object, ObjectError};
use serde_json::{Value, json};

use super::names::{MANAGED_BY, NAMESPACE, VAULT_NAMESPACE};

/// The Secrets in [`NAMESPACE`] that may hold the token of the provider's service account. There is one of
/// them, and for a moment both while the token is rotated.
pub(crate) const CREDENTIAL_SECRETS: [&str; 2] = [
    "terraform-provider-nautes-token",
    "terraform-provider-nautes-token-2",
];

/// The Secret in [`VAULT_NAMESPACE`] with the token with which Vault verifies service accounts.
pub(crate) const REVIEWER_SECRET: &str = "vault-auth-token";

/// The service account with which Vault verifies others. Nautes gives it this name.
const REVIEWER: &str = "vault-auth";

/// The service account whose login proves that Vault can verify others.
const PROBE: &str = "nautes-probe";

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

/// Returns a Secret with a token of the provider's service account, which must exist: the cluster deletes
/// the Secret of a token whose account does not.
pub(crate) fn own_token(name: &str) -> Result<Object, ObjectError> {
    Object::new(token_secret(NAMESPACE, name, MANAGED_BY))
}

/// Returns the accounts with which Vault verifies the service accounts of a worker, and proves that.
pub(crate) fn reviewer_accounts() -> Result<Vec<Object>, ObjectError> {
    let objects = [
        namespace(VAULT_NAMESPACE),
        service_account(VAULT_NAMESPACE, REVIEWER),
        cluster_role_binding(
            "role-tokenreview-binding",
            "system:auth-delegator",
            VAULT_NAMESPACE,
            REVIEWER,
        ),
        service_account(NAMESPACE, PROBE),
    ];
    objects.into_iter().map(Object::new).collect()
}

/// Returns the Secret with the token of the reviewer, whose account must exist.
pub(crate) fn reviewer_token() -> Result<Object, ObjectError> {
    Object::new(token_secret(VAULT_NAMESPACE, REVIEWER_SECRET, REVIEWER))
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

/// A token without an end, which the cluster makes and which ends with the Secret.
fn token_secret(namespace: &str, name: &str, account: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "namespace": namespace,
            "name": name,
            "annotations": { "kubernetes.io/service-account.name": account },
        },
        "type": "kubernetes.io/service-account-token",
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

//! The objects that every cluster has before any component: the service account of the provider, and
//! in workers the one with which Vault verifies others.

use kubernetes_apply::object::{Object, ObjectError};
use serde_json::{Value, json};

use super::names::{MANAGED_BY, NAMESPACE, VAULT_NAMESPACE};

/// The Secret in [`NAMESPACE`] with the token of the provider's service account.
pub(crate) const CREDENTIAL_SECRET: &str = "terraform-provider-nautes-token";

/// The Secret in [`VAULT_NAMESPACE`] with the token with which Vault verifies service accounts.
pub(crate) const REVIEWER_SECRET: &str = "vault-auth-token";

/// The service account with which Vault verifies others. Nautes gives it this name.
const REVIEWER: &str = "vault-auth";

/// The service account whose login proves that Vault can verify others.
const PROBE: &str = "nautes-probe";

/// Returns the objects. `has_own_account` says whether the provider works with a service account of its
/// own, and `is_worker` whether Vault verifies service accounts of the cluster.
pub(crate) fn base_objects(
    has_own_account: bool,
    is_worker: bool,
) -> Result<Vec<Object>, ObjectError> {
    let mut objects = vec![namespace(NAMESPACE)];
    if has_own_account {
        objects.extend([
            service_account(NAMESPACE, MANAGED_BY),
            cluster_role_binding(MANAGED_BY, "cluster-admin", NAMESPACE, MANAGED_BY),
            token_secret(NAMESPACE, CREDENTIAL_SECRET, MANAGED_BY),
        ]);
    }
    if is_worker {
        objects.extend([
            namespace(VAULT_NAMESPACE),
            service_account(VAULT_NAMESPACE, REVIEWER),
            cluster_role_binding(
                "role-tokenreview-binding",
                "system:auth-delegator",
                VAULT_NAMESPACE,
                REVIEWER,
            ),
            token_secret(VAULT_NAMESPACE, REVIEWER_SECRET, REVIEWER),
            service_account(NAMESPACE, PROBE),
        ]);
    }
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
    fn a_host_has_no_account_of_vault_and_a_given_kubeconfig_needs_none_of_ours() {
        let names = |has_own_account, is_worker| -> Vec<String> {
            let objects = base_objects(has_own_account, is_worker).unwrap();
            objects
                .iter()
                .map(|object| object.reference().to_string())
                .collect()
        };
        assert_eq!(names(false, false), ["Namespace nautes"]);
        assert!(
            names(true, false)
                .iter()
                .all(|name| !name.contains("vault"))
        );
        assert!(names(true, true).contains(&"Secret vault/vault-auth-token".to_owned()));
    }
}

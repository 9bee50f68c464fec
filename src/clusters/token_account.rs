//! Service accounts whose tokens are used outside of the cluster.

use kubernetes_apply::object::{Object, ObjectError};
use serde_json::json;

use super::names::{MANAGED_BY, NAMESPACE, VAULT_NAMESPACE};

/// A service account with a token that never expires, in one of two Secrets.
///
/// The cluster makes the token, and ends it with the Secret. There is one Secret, and for a moment both while the token
/// is rotated.
#[derive(Debug)]
pub(crate) struct TokenAccount {
    /// Its namespace, and that of the Secrets.
    pub(crate) namespace: &'static str,
    /// Its name.
    pub(crate) name: &'static str,
    /// The names of the Secrets.
    pub(crate) secrets: [&'static str; 2],
}

/// The service account of the provider, with all rights.
pub(crate) const OWN_ACCOUNT: TokenAccount = TokenAccount {
    namespace: NAMESPACE,
    name: MANAGED_BY,
    secrets: [
        "terraform-provider-nautes-token",
        "terraform-provider-nautes-token-2",
    ],
};

/// The service account with which runtimes are made.
pub(crate) const RUNTIME_ACCOUNT: TokenAccount = TokenAccount {
    namespace: NAMESPACE,
    name: "nautes-runtime",
    secrets: ["nautes-runtime-token", "nautes-runtime-token-2"],
};

/// The service account with which Vault verifies others. Nautes gives it this name.
pub(crate) const REVIEWER_ACCOUNT: TokenAccount = TokenAccount {
    namespace: VAULT_NAMESPACE,
    name: "vault-auth",
    secrets: ["vault-auth-token", "vault-auth-token-2"],
};

impl TokenAccount {
    /// Returns a Secret with a token of the account, which must exist: the cluster deletes the Secret of a
    /// token whose account does not.
    pub(crate) fn secret(&self, name: &str) -> Result<Object, ObjectError> {
        Object::new(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "namespace": self.namespace,
                "name": name,
                "annotations": { "kubernetes.io/service-account.name": self.name },
            },
            "type": "kubernetes.io/service-account-token",
        }))
    }

    /// Returns the name of the account as the API server knows its user.
    pub(crate) fn user(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.name)
    }
}

//! What runtimes need to know of a cluster. It is kept in the cluster, so that they need neither the
//! tenant's repository nor a credential of an administrator.

use kubernetes_apply::object::{Object, ObjectError};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::names::{FACTS, NAMESPACE};

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
        };
        let object = facts.object().unwrap();
        assert_eq!(Facts::parse(&object), Some(facts));
    }
}

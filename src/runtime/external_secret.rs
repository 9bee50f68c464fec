//! Secrets that External Secrets copies from Vault into a cluster. The provider reads none of them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kubernetes_apply::object::{Object, ObjectError};
use serde_json::{Map, Value, json};

/// The API version of External Secrets.
const API_VERSION: &str = "external-secrets.io/v1";

/// How often a secret is compared with Vault.
const REFRESH_INTERVAL: &str = "5m";

/// How pods of a cluster reach Vault and log in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct VaultAccess {
    /// The address of Vault, as pods reach it.
    pub(crate) server: String,
    pub(crate) namespace: Option<String>,
    /// Certificates (PEM) of a private authority that signs Vault's certificate.
    pub(crate) ca_pem: Option<String>,
    /// The mount of the cluster's auth method, below `auth/`.
    pub(crate) auth_mount: String,
    /// The audience of the tokens with which service accounts log in.
    pub(crate) audience: String,
}

/// A store: a secrets engine of Vault, and the service account that reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecretStore<'a> {
    pub(crate) vault: &'a VaultAccess,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    /// The mount of a key-value engine of version 2.
    pub(crate) mount: &'a str,
    /// The Vault role of the service account.
    pub(crate) role: &'a str,
    pub(crate) service_account: &'a str,
}

/// A secret that is copied into a Secret of the same name and namespace.
#[derive(Clone, Debug)]
pub(crate) struct ExternalSecret<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    /// The name of the store.
    pub(crate) store: &'a str,
    /// The values that are copied.
    pub(crate) values: Vec<RemoteValue<'a>>,
    pub(crate) template: SecretTemplate<'a>,
}

/// A value in Vault.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RemoteValue<'a> {
    /// The name by which the template has it.
    pub(crate) name: &'a str,
    /// The path of the secret in its engine.
    pub(crate) path: &'a str,
    /// The field in the secret; `None` for the whole.
    pub(crate) field: Option<&'a str>,
}

/// What the Secret looks like.
#[derive(Clone, Debug, Default)]
pub(crate) struct SecretTemplate<'a> {
    /// The type; `None` for `Opaque`.
    pub(crate) secret_type: Option<&'a str>,
    pub(crate) labels: BTreeMap<&'a str, String>,
    pub(crate) annotations: BTreeMap<&'a str, String>,
    /// The content; `{{ .name }}` stands for a value.
    pub(crate) data: BTreeMap<&'a str, String>,
}

impl SecretStore<'_> {
    /// Returns the object.
    pub(crate) fn object(&self) -> Result<Object, ObjectError> {
        let access = self.vault;
        let mut vault = json!({
            "server": access.server,
            "path": self.mount,
            "version": "v2",
            "auth": { "kubernetes": {
                "mountPath": access.auth_mount,
                "role": self.role,
                "serviceAccountRef": {
                    "name": self.service_account,
                    "audiences": [access.audience],
                },
            } },
        });
        if let Some(vault) = vault.as_object_mut() {
            if let Some(namespace) = &access.namespace {
                vault.insert("namespace".to_owned(), json!(namespace));
            }
            if let Some(pem) = &access.ca_pem {
                vault.insert("caBundle".to_owned(), json!(STANDARD.encode(pem)));
            }
        }
        Object::new(json!({
            "apiVersion": API_VERSION,
            "kind": "SecretStore",
            "metadata": { "namespace": self.namespace, "name": self.name },
            "spec": { "provider": { "vault": vault } },
        }))
    }
}

impl ExternalSecret<'_> {
    /// Returns the object.
    pub(crate) fn object(&self) -> Result<Object, ObjectError> {
        let values = self.values.iter().map(|value| {
            let mut remote = Map::from_iter([("key".to_owned(), json!(value.path))]);
            if let Some(field) = value.field {
                remote.insert("property".to_owned(), json!(field));
            }
            json!({ "secretKey": value.name, "remoteRef": remote })
        });
        let values: Vec<Value> = values.collect();
        Object::new(json!({
            "apiVersion": API_VERSION,
            "kind": "ExternalSecret",
            "metadata": { "namespace": self.namespace, "name": self.name },
            "spec": {
                "refreshInterval": REFRESH_INTERVAL,
                "secretStoreRef": { "kind": "SecretStore", "name": self.store },
                "target": {
                    "name": self.name,
                    "creationPolicy": "Owner",
                    "template": self.template.json(),
                },
                "data": values,
            },
        }))
    }
}

impl SecretTemplate<'_> {
    fn json(&self) -> Value {
        let mut metadata = Map::new();
        for (field, entries) in [("labels", &self.labels), ("annotations", &self.annotations)] {
            if !entries.is_empty() {
                metadata.insert(field.to_owned(), json!(entries));
            }
        }
        let mut template = Map::from_iter([("data".to_owned(), json!(self.data))]);
        if let Some(secret_type) = self.secret_type {
            template.insert("type".to_owned(), json!(secret_type));
        }
        if !metadata.is_empty() {
            template.insert("metadata".to_owned(), metadata.into());
        }
        template.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_names_the_account_the_audience_and_the_authority() {
        let vault = VaultAccess {
            server: "https://vault.example.com:8200".to_owned(),
            namespace: None,
            ca_pem: Some("PEM".to_owned()),
            auth_mount: "deploy-01".to_owned(),
            audience: "vault".to_owned(),
        };
        let store = SecretStore {
            vault: &vault,
            namespace: "argocd",
            name: "nautes-product-42",
            mount: "git",
            role: "product-42",
            service_account: "nautes-product-42",
        };
        let store = store.object().unwrap();
        assert_eq!(
            store.get("/spec/provider/vault"),
            Some(&json!({
                "server": "https://vault.example.com:8200", "path": "git", "version": "v2",
                "caBundle": "UEVN",
                "auth": { "kubernetes": {
                    "mountPath": "deploy-01", "role": "product-42",
                    "serviceAccountRef": { "name": "nautes-product-42", "audiences": ["vault"] },
                } },
            }))
        );
    }

    #[test]
    fn a_secret_is_made_by_its_template_from_the_values() {
        let secret = ExternalSecret {
            namespace: "shop-ci",
            name: "ci-deploy",
            store: "nautes-ci",
            values: vec![RemoteValue {
                name: "deploykey",
                path: "gitlab/repo-7/default/readwrite",
                field: Some("deploykey"),
            }],
            template: SecretTemplate {
                secret_type: Some("kubernetes.io/ssh-auth"),
                data: BTreeMap::from([("ssh-privatekey", "{{ .deploykey }}".to_owned())]),
                ..SecretTemplate::default()
            },
        };
        let secret = secret.object().unwrap();
        assert_eq!(
            secret.get("/spec/target"),
            Some(&json!({
                "name": "ci-deploy", "creationPolicy": "Owner",
                "template": {
                    "type": "kubernetes.io/ssh-auth",
                    "data": { "ssh-privatekey": "{{ .deploykey }}" },
                },
            }))
        );
        assert_eq!(
            secret.get("/spec/data/0/remoteRef"),
            Some(&json!({
                "key": "gitlab/repo-7/default/readwrite", "property": "deploykey",
            }))
        );
    }
}

//! The ways from the gateway to the web pages of components.

use serde_json::{Value, json};

use super::manifest::{insert, set_metadata};

/// How a component is reached through the gateway.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exposure {
    /// The host name.
    pub host: String,
    /// The name of the `IngressClass` of the gateway.
    pub ingress_class: String,
    /// Who provides the certificate.
    pub certificate: Certificate,
}

/// Who provides the certificate of a host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Certificate {
    /// The gateway shows its own one.
    Gateway,
    /// A `ClusterIssuer` of cert-manager issues one.
    Issuer(String),
}

/// The Service that answers requests below a path.
pub(super) struct Backend<'b> {
    pub(super) path: &'b str,
    pub(super) service: &'b str,
    /// The name or number of its port.
    pub(super) port: Value,
}

/// Builds an Ingress for a host.
pub(super) fn ingress(
    namespace: &str,
    name: &str,
    exposure: &Exposure,
    backend: &Backend<'_>,
) -> Value {
    let Exposure {
        host,
        ingress_class,
        certificate,
    } = exposure;
    let port = match &backend.port {
        Value::String(name) => json!({ "name": name }),
        number => json!({ "number": number }),
    };
    let mut ingress = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": { "name": name, "namespace": namespace },
        "spec": {
            "ingressClassName": ingress_class,
            "rules": [{ "host": host, "http": { "paths": [{
                "path": backend.path,
                "pathType": "Prefix",
                "backend": { "service": { "name": backend.service, "port": port } }
            }] } }],
            "tls": [{ "hosts": [host] }]
        }
    });
    if let Certificate::Issuer(issuer) = certificate {
        let key = "cert-manager.io/cluster-issuer";
        set_metadata(&mut ingress, "annotations", key, issuer);
        let secret = format!("{name}-certificate");
        insert(&mut ingress, "/spec/tls/0", "secretName", secret);
    }
    ingress
}

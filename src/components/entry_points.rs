//! How the gateway of a cluster is reached, and the addresses that follow from it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use kubernetes_apply::object::Object;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::traefik::{ENTRY_POINT_LABEL, HTTP_ANNOTATION, HTTPS_ANNOTATION};

/// Selects the Services that [`entry_points`] takes for gateways.
pub const SELECTOR: &str = "resource.nautes.io/Usage=Entrypoint";

/// The ports of a gateway.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct EntryPoint {
    /// The port for HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_port: Option<u16>,
    /// The port for HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub https_port: Option<u16>,
    /// Whose ports they are.
    pub service_type: ServiceType,
}

/// How a Service is reached from outside the cluster.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum ServiceType {
    /// On ports of all nodes.
    NodePort,
    /// On its own ports, at an address of its own.
    LoadBalancer,
}

/// A Service that is marked as a gateway cannot be one.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EntryPointError {
    /// It is not reached from outside the cluster.
    #[error(
        "{service} is labelled as the gateway, but its type is {service_type}, which is not reached from outside; change \
         it to NodePort or LoadBalancer"
    )]
    ServiceType {
        /// The Service.
        service: String,
        /// Its type.
        service_type: String,
    },
    /// An annotation names a port that it does not have.
    #[error(
        "the annotation {annotation} of {service} names the port {port}, which the Service does not have yet"
    )]
    Port {
        /// The Service.
        service: String,
        /// The annotation.
        annotation: &'static str,
        /// The name of the port.
        port: String,
    },
}

/// Returns the gateways among Services, by their name.
///
/// They are marked as Nautes marks them: by a label, and by annotations with the names of their ports.
pub fn entry_points(services: &[Object]) -> Result<BTreeMap<String, EntryPoint>, EntryPointError> {
    let (label, value) = ENTRY_POINT_LABEL;
    let gateways = services
        .iter()
        .filter(|service| service.label(label) == Some(value));
    gateways
        .map(|service| {
            let name = service.reference().name.clone();
            Ok((name, EntryPoint::new(service)?))
        })
        .collect()
}

impl EntryPoint {
    fn new(service: &Object) -> Result<Self, EntryPointError> {
        let (service_type, field) = match service.text("/spec/type") {
            Some("NodePort") => (ServiceType::NodePort, "nodePort"),
            Some("LoadBalancer") => (ServiceType::LoadBalancer, "port"),
            other => {
                return Err(EntryPointError::ServiceType {
                    service: service.reference().to_string(),
                    service_type: other.unwrap_or("ClusterIP").to_owned(),
                });
            }
        };
        let port = |annotation: &'static str| {
            let Some(name) = service.annotation(annotation) else {
                return Ok(None);
            };
            let mut ports = service.list("/spec/ports").iter();
            let port = ports.find(|port| port.get("name").and_then(Value::as_str) == Some(name));
            let number = port
                .and_then(|port| port.get(field)?.as_u64())
                .and_then(|number| u16::try_from(number).ok())
                .filter(|number| *number != 0);
            let missing = || EntryPointError::Port {
                service: service.reference().to_string(),
                annotation,
                port: name.to_owned(),
            };
            number.map(Some).ok_or_else(missing)
        };
        Ok(Self {
            http_port: port(HTTP_ANNOTATION)?,
            https_port: port(HTTPS_ANNOTATION)?,
            service_type,
        })
    }
}

/// Returns the domain for hosts of a cluster whose API server has an address: its host name, or a name that resolves
/// to its IP address. `None` if it is no URL with a host.
pub fn primary_domain(api_server: &str) -> Option<String> {
    let url = Url::parse(api_server).ok()?;
    let host = url.host_str()?;
    let address = host.trim_start_matches('[').trim_end_matches(']');
    Some(match address.parse() {
        Ok(IpAddr::V4(address)) => format!("{address}.nip.io"),
        // Such a name has hyphens instead of colons (nip.io's documentation).
        Ok(IpAddr::V6(address)) => format!("{}.nip.io", address.to_string().replace(':', "-")),
        Err(_) => host.to_owned(),
    })
}

/// Returns the address of a host behind the gateway; the usual port is left out.
pub fn https_url(host: &str, port: u16) -> String {
    match port {
        443 => format!("https://{host}"),
        port => format!("https://{host}:{port}"),
    }
}

/// Returns the host that webhooks of a cluster call.
pub fn webhook_host(cluster: &str, domain: &str) -> String {
    format!("webhook.{cluster}.{domain}")
}

/// Returns the host of `OAuth2` Proxy in a cluster.
pub fn login_host(cluster: &str, domain: &str) -> String {
    format!("auth.{cluster}.{domain}")
}

/// Returns the addresses to which an issuer of tokens sends users of Argo CD and of dashboards back.
pub fn redirect_uris(argocd_url: Option<&str>, login_url: Option<&str>) -> Vec<String> {
    let argocd = argocd_url.map(|url| format!("{url}/auth/callback"));
    let login = login_url.map(|url| format!("{url}/oauth2/callback"));
    argocd.into_iter().chain(login).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn service(service_type: &str, annotations: &Value) -> Object {
        Object::new(json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {
                "name": "traefik", "namespace": "traefik", "annotations": annotations,
                "labels": {"resource.nautes.io/Usage": "Entrypoint"}
            },
            "spec": {"type": service_type, "ports": [
                {"name": "web", "port": 80, "nodePort": 30080},
                {"name": "websecure", "port": 443, "nodePort": 30443},
                {"name": "pending", "port": 1, "nodePort": 0}
            ]}
        }))
        .unwrap()
    }

    fn both() -> Value {
        json!({
            "cluster-operator.nautes.io/http-entrypoint": "web",
            "cluster-operator.nautes.io/https-entrypoint": "websecure"
        })
    }

    fn ports(service: Object) -> Result<(Option<u16>, Option<u16>), String> {
        let found = entry_points(&[service]).map_err(|error| error.to_string())?;
        let entry_point = &found["traefik"];
        Ok((entry_point.http_port, entry_point.https_port))
    }

    #[test]
    fn the_ports_are_those_that_the_annotations_name() {
        assert_eq!(
            ports(service("NodePort", &both())),
            Ok((Some(30080), Some(30443)))
        );
        assert_eq!(
            ports(service("LoadBalancer", &both())),
            Ok((Some(80), Some(443)))
        );
        let https = json!({"cluster-operator.nautes.io/https-entrypoint": "websecure"});
        assert_eq!(ports(service("NodePort", &https)), Ok((None, Some(30443))));
    }

    #[test]
    fn a_gateway_that_is_not_reached_is_an_error() {
        assert_eq!(
            ports(service("ClusterIP", &both())).unwrap_err(),
            "Service traefik/traefik is labelled as the gateway, but its type is ClusterIP, which is not reached from \
             outside; change it to NodePort or LoadBalancer"
        );
        for port in ["absent", "pending"] {
            let annotations = json!({"cluster-operator.nautes.io/http-entrypoint": port});
            let error = ports(service("NodePort", &annotations)).unwrap_err();
            assert!(error.contains(&format!("names the port {port}")), "{error}");
        }
    }

    #[test]
    fn the_selector_is_that_of_the_label() {
        let (label, value) = ENTRY_POINT_LABEL;
        assert_eq!(SELECTOR, format!("{label}={value}"));
    }

    #[test]
    fn other_services_are_no_gateways() {
        let other = Object::new(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "b"},
            "spec": {"type": "ClusterIP"}
        }));
        assert_eq!(entry_points(&[other.unwrap()]), Ok(BTreeMap::new()));
    }

    #[test]
    fn an_ip_address_becomes_a_domain() {
        for (api_server, domain) in [
            ("https://10.1.1.1:6443", "10.1.1.1.nip.io"),
            ("https://k8s.example.com:6443", "k8s.example.com"),
            ("https://[2001:db8::1]:6443", "2001-db8--1.nip.io"),
        ] {
            assert_eq!(primary_domain(api_server).as_deref(), Some(domain));
        }
        assert_eq!(primary_domain("10.1.1.1"), None);
    }

    #[test]
    fn addresses_name_the_port_unless_it_is_the_usual_one() {
        let host = webhook_host("pipe-01", "10.1.1.1.nip.io");
        assert_eq!(
            https_url(&host, 30443),
            "https://webhook.pipe-01.10.1.1.1.nip.io:30443"
        );
        assert_eq!(
            https_url("argocd.example.com", 443),
            "https://argocd.example.com"
        );
        let login = https_url(&login_host("pipe-01", "example.com"), 443);
        assert_eq!(
            redirect_uris(Some("https://argocd.example.com"), Some(&login)),
            [
                "https://argocd.example.com/auth/callback",
                "https://auth.pipe-01.example.com/oauth2/callback"
            ]
        );
    }
}

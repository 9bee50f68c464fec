//! Traefik, the gateway, with the objects that its Helm chart (41.3.0) would make.
//!
//! It differs from the chart's defaults where the provider needs it: the ports of its Service, and who may refer to
//! middlewares of other namespaces. Its own dashboard is off, because any Ingress route could publish it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::catalogue::Component;
use super::manifest::insert;
use super::version::Version;

/// The settings of Traefik.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Traefik {
    /// How it is reached from outside the cluster.
    pub service: GatewayService,
    /// The name of its `IngressClass`.
    pub ingress_class: String,
    /// A Secret in its namespace with the certificate that it shows for hosts without one of their own.
    pub tls_secret: Option<String>,
    /// The namespaces whose Ingresses may use middlewares of other namespaces. All others may not.
    pub middleware_users: BTreeSet<String>,
}

/// How a gateway is reached from outside the cluster.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GatewayService {
    /// On ports of all nodes.
    NodePort {
        /// The port for HTTP.
        http: u16,
        /// The port for HTTPS.
        https: u16,
    },
    /// On the ports 80 and 443 of an address that the cluster's environment provides.
    LoadBalancer,
}

/// The label and annotations by which Nautes finds the ports of a gateway
/// (`app/cluster-operator/controllers`).
pub(super) const ENTRY_POINT_LABEL: (&str, &str) = ("resource.nautes.io/Usage", "Entrypoint");
pub(super) const HTTP_ANNOTATION: &str = "cluster-operator.nautes.io/http-entrypoint";
pub(super) const HTTPS_ANNOTATION: &str = "cluster-operator.nautes.io/https-entrypoint";

const NAME: &str = "traefik";
const CLUSTER_ROLE: &str = "traefik-traefik";

/// The kinds that Traefik watches, and their plurals.
const KINDS: [(&str, &str); 10] = [
    ("IngressRoute", "ingressroutes"),
    ("IngressRouteTCP", "ingressroutetcps"),
    ("IngressRouteUDP", "ingressrouteudps"),
    ("Middleware", "middlewares"),
    ("MiddlewareTCP", "middlewaretcps"),
    ("ServersTransport", "serverstransports"),
    ("ServersTransportTCP", "serverstransporttcps"),
    ("TLSOption", "tlsoptions"),
    ("TLSStore", "tlsstores"),
    ("TraefikService", "traefikservices"),
];

impl Traefik {
    pub(super) fn objects(&self, version: &Version) -> Vec<Value> {
        let mut objects: Vec<Value> = KINDS.iter().map(|kind| definition(*kind)).collect();
        objects.extend([
            json!({
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": { "name": NAME, "namespace": namespace(), "labels": labels() },
                "automountServiceAccountToken": false
            }),
            cluster_role(),
            cluster_role_binding(),
            self.service(),
            self.deployment(version),
            json!({
                "apiVersion": "networking.k8s.io/v1",
                "kind": "IngressClass",
                "metadata": {
                    "name": self.ingress_class,
                    "labels": labels(),
                    "annotations": { "ingressclass.kubernetes.io/is-default-class": "true" }
                },
                "spec": { "controller": "traefik.io/ingress-controller" }
            }),
        ]);
        objects.extend(self.tls_secret.as_ref().map(|secret| {
            json!({
                "apiVersion": "traefik.io/v1alpha1",
                "kind": "TLSStore",
                // Traefik reads the store of this name only.
                "metadata": { "name": "default", "namespace": namespace(), "labels": labels() },
                "spec": { "defaultCertificate": { "secretName": secret } }
            })
        }));
        objects
    }

    fn service(&self) -> Value {
        let port = |name: &str, port: u16| json!({ "name": name, "port": port, "targetPort": name, "protocol": "TCP" });
        let (mut web, mut websecure) = (port("web", 80), port("websecure", 443));
        let service_type = match self.service {
            GatewayService::NodePort { http, https } => {
                insert(&mut web, "", "nodePort", http);
                insert(&mut websecure, "", "nodePort", https);
                "NodePort"
            }
            GatewayService::LoadBalancer => "LoadBalancer",
        };
        let mut labelled = labels();
        insert(&mut labelled, "", ENTRY_POINT_LABEL.0, ENTRY_POINT_LABEL.1);
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": NAME,
                "namespace": namespace(),
                "labels": labelled,
                "annotations": { HTTP_ANNOTATION: "web", HTTPS_ANNOTATION: "websecure" }
            },
            "spec": { "type": service_type, "selector": labels(), "ports": [web, websecure] }
        })
    }

    fn deployment(&self, version: &Version) -> Value {
        let ping = |failures: u8| {
            json!({
                "httpGet": { "path": "/ping", "port": 8080, "scheme": "HTTP" },
                "failureThreshold": failures,
                "initialDelaySeconds": 2,
                "periodSeconds": 10,
                "successThreshold": 1,
                "timeoutSeconds": 2
            })
        };
        let port = |name: &str, port: u16| json!({ "name": name, "containerPort": port, "protocol": "TCP" });
        let field = |name: &str, path: &str| json!({ "name": name, "valueFrom": { "fieldRef": { "fieldPath": path } } });
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": NAME, "namespace": namespace(), "labels": labels() },
            "spec": {
                "replicas": 1,
                "selector": { "matchLabels": labels() },
                "strategy": {
                    "type": "RollingUpdate",
                    "rollingUpdate": { "maxUnavailable": 0, "maxSurge": 1 }
                },
                "template": {
                    "metadata": {
                        "labels": labels(),
                        "annotations": {
                            "prometheus.io/path": "/metrics",
                            "prometheus.io/port": "9100",
                            "prometheus.io/scrape": "true"
                        }
                    },
                    "spec": {
                        "serviceAccountName": NAME,
                        "automountServiceAccountToken": true,
                        "terminationGracePeriodSeconds": 60,
                        "securityContext": {
                            "runAsGroup": 65532,
                            "runAsNonRoot": true,
                            "runAsUser": 65532,
                            "seccompProfile": { "type": "RuntimeDefault" }
                        },
                        "containers": [{
                            "name": NAME,
                            "image": format!("docker.io/traefik:{version}"),
                            "imagePullPolicy": "IfNotPresent",
                            "args": self.arguments(),
                            "env": [
                                field("POD_NAME", "metadata.name"),
                                field("POD_NAMESPACE", "metadata.namespace"),
                                { "name": "USER", "value": "traefik" }
                            ],
                            "ports": [
                                port("metrics", 9100),
                                port("traefik", 8080),
                                port("web", 8000),
                                port("websecure", 8443)
                            ],
                            "livenessProbe": ping(3),
                            "readinessProbe": ping(1),
                            "securityContext": {
                                "allowPrivilegeEscalation": false,
                                "capabilities": { "drop": ["ALL"] },
                                "readOnlyRootFilesystem": true
                            },
                            "volumeMounts": [
                                { "name": "data", "mountPath": "/data" },
                                { "name": "tmp", "mountPath": "/tmp" }
                            ]
                        }],
                        "volumes": [
                            { "name": "data", "emptyDir": {} },
                            { "name": "tmp", "emptyDir": {} }
                        ]
                    }
                }
            }
        })
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments: Vec<String> = [
            "--entryPoints.metrics.address=:9100/tcp",
            "--entryPoints.traefik.address=:8080/tcp",
            "--entryPoints.web.address=:8000/tcp",
            "--entryPoints.websecure.address=:8443/tcp",
            "--ping=true",
            "--metrics.prometheus=true",
            "--metrics.prometheus.entrypoint=metrics",
            "--providers.kubernetescrd",
            "--providers.kubernetescrd.allowEmptyServices=true",
            // The middlewares for logins are beside the gateway, and their service is not.
            "--providers.kubernetescrd.allowCrossNamespace=true",
            "--providers.kubernetesingress",
            "--providers.kubernetesingress.allowEmptyServices=true",
            "--providers.kubernetesingress.ingressendpoint.publishedservice=traefik/traefik",
            "--entryPoints.websecure.http.tls=true",
            "--log.level=INFO",
        ]
        .map(str::to_owned)
        .into();
        // Without the list every Ingress may; with a namespace that never has one, none may.
        let users: Vec<&str> = match self.middleware_users.len() {
            0 => vec![namespace()],
            _ => self.middleware_users.iter().map(String::as_str).collect(),
        };
        arguments.push(format!(
            "--providers.kubernetesingress.crossProviderNamespaces={}",
            users.join(",")
        ));
        arguments
    }
}

const fn namespace() -> &'static str {
    Component::Traefik.namespace()
}

/// The labels of all objects, which are the selector of the pods too: it cannot be changed later, so it is the
/// chart's.
fn labels() -> Value {
    json!({
        "app.kubernetes.io/name": "traefik",
        "app.kubernetes.io/instance": "traefik-traefik"
    })
}

/// Defines a kind without describing its `spec`, which Traefik itself checks.
fn definition((kind, plural): (&str, &str)) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.traefik.io") },
        "spec": {
            "group": "traefik.io",
            "names": {
                "kind": kind,
                "listKind": format!("{kind}List"),
                "plural": plural,
                "singular": kind.to_lowercase()
            },
            "scope": "Namespaced",
            "versions": [{
                "name": "v1alpha1",
                "served": true,
                "storage": true,
                "schema": { "openAPIV3Schema": {
                    "type": "object",
                    "required": ["metadata", "spec"],
                    "properties": {
                        "apiVersion": { "type": "string" },
                        "kind": { "type": "string" },
                        "metadata": { "type": "object" },
                        "spec": { "type": "object", "x-kubernetes-preserve-unknown-fields": true }
                    }
                } }
            }]
        }
    })
}

fn cluster_role() -> Value {
    let watch = ["get", "list", "watch"];
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": { "name": CLUSTER_ROLE, "labels": labels() },
        "rules": [
            { "apiGroups": [""], "resources": ["configmaps", "nodes", "services"], "verbs": watch },
            { "apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"] },
            { "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] },
            { "apiGroups": [""], "resources": ["secrets"], "verbs": watch },
            {
                "apiGroups": ["extensions", "networking.k8s.io"],
                "resources": ["ingressclasses", "ingresses"],
                "verbs": watch
            },
            {
                "apiGroups": ["extensions", "networking.k8s.io"],
                "resources": ["ingresses/status"],
                "verbs": ["update"]
            },
            { "apiGroups": [""], "resources": ["namespaces"], "verbs": ["list", "watch"] },
            {
                "apiGroups": ["traefik.io"],
                "resources": KINDS.map(|(_, plural)| plural),
                "verbs": watch
            }
        ]
    })
}

fn cluster_role_binding() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": { "name": CLUSTER_ROLE, "labels": labels() },
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": CLUSTER_ROLE
        },
        "subjects": [{ "kind": "ServiceAccount", "name": NAME, "namespace": namespace() }]
    })
}

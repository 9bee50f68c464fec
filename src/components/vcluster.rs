//! Virtual clusters: the objects in the host cluster that its Helm chart (0.36.1) would make.
//!
//! The program reads its configuration without adding defaults, so [`VirtualCluster::config`] has everything that is
//! not off. Only what needs no licence is used.

use kubernetes_apply::object::Object;
use serde_json::{Value, json};

use super::COMPONENT_LABEL;
use super::digest::Sha256;
use super::image::Images;
use super::manifest::{insert, set_metadata};
use super::version::Version;

/// The settings of a virtual cluster.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VirtualCluster {
    /// The name of the cluster, which is also that of its namespace in the host cluster.
    pub name: String,
    /// The version of vCluster.
    pub version: Version,
    /// The version of Kubernetes inside.
    pub kubernetes_version: Version,
    /// The port of the host's nodes at which its API is served.
    pub https_node_port: u16,
    /// The address of its API, which its kubeconfig names.
    pub api_server: String,
    /// The host of this address, for which its certificate is valid too.
    pub api_host: String,
    /// How it knows users.
    pub single_sign_on: Option<ApiSingleSignOn>,
    /// From where its images are pulled.
    pub images: Images,
}

/// How the API of a cluster knows users by their tokens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ApiSingleSignOn {
    /// The issuer of tokens.
    pub issuer: String,
    /// The client that is registered there.
    pub client_id: String,
    /// Certificates of a private authority that signs the issuer's certificate.
    pub ca_pem: Option<String>,
    /// The claim that holds the groups of a user.
    pub groups_claim: String,
    /// What is put in front of groups; may be empty.
    pub groups_prefix: String,
}

impl VirtualCluster {
    /// Returns the version of vCluster for a new cluster.
    pub const fn default_version() -> Version {
        Version::new(0, 36, 1)
    }

    /// Returns the version of Kubernetes inside a new cluster.
    pub const fn default_kubernetes_version() -> Version {
        Version::new(1, 36, 0)
    }

    /// Returns the name of the Secret in which vCluster puts its kubeconfig, under the key `config`.
    pub fn kubeconfig_secret(&self) -> String {
        format!("vc-{}", self.name)
    }

    /// Builds the objects that are applied in the host cluster.
    pub fn objects(&self) -> Vec<Object> {
        let name = &self.name;
        let config = self.config().to_string();
        let fingerprint = Sha256::compute(config.as_bytes()).to_string();
        let mut objects = vec![
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }),
            self.object("v1", "ServiceAccount", &format!("vc-{name}"), json!({})),
            self.object(
                "v1",
                "ServiceAccount",
                &format!("vc-workload-{name}"),
                json!({}),
            ),
            self.object(
                "v1",
                "Secret",
                &format!("vc-config-{name}"),
                json!({ "type": "Opaque", "stringData": { "config.yaml": config } }),
            ),
            self.role(),
            self.role_binding(),
            self.service(),
            self.headless_service(),
            self.stateful_set(&fingerprint),
        ];
        if let Some(ca_pem) = self.ca_pem() {
            let data = json!({ "type": "Opaque", "stringData": { "ca.crt": ca_pem } });
            objects.push(self.object("v1", "Secret", CA_SECRET, data));
        }
        let objects = objects.into_iter().map(|mut object| {
            set_metadata(&mut object, "labels", COMPONENT_LABEL, "vcluster");
            Object::new(object)
        });
        // Each of them has a version, a kind and a name.
        objects.filter_map(Result::ok).collect()
    }

    fn ca_pem(&self) -> Option<&str> {
        self.single_sign_on.as_ref()?.ca_pem.as_deref()
    }

    /// Returns the configuration that the program reads.
    fn config(&self) -> Value {
        let enabled = json!({ "enabled": true });
        let auto = json!({ "enabled": "auto" });
        let mut config = json!({
            "controlPlane": {
                "advanced": {
                    "cloudControllerManager": enabled,
                    "serviceAccount": enabled,
                    "workloadServiceAccount": enabled
                },
                "coredns": {
                    "enabled": true,
                    "deployment": {
                        "replicas": 1,
                        "resources": {
                            "limits": { "cpu": "1000m", "memory": "170Mi" },
                            "requests": { "cpu": "20m", "memory": "64Mi" }
                        }
                    },
                    "service": { "spec": { "type": "ClusterIP" } }
                },
                "distro": { "k8s": {
                    "enabled": true,
                    "version": self.kubernetes_version.to_string(),
                    "apiServer": { "enabled": true, "extraArgs": self.api_arguments() },
                    "controllerManager": enabled
                } },
                "proxy": { "bindAddress": "0.0.0.0", "port": 8443, "extraSANs": [self.api_host] },
                "service": {
                    "enabled": true,
                    "httpsNodePort": self.https_node_port,
                    "spec": { "type": "NodePort" }
                },
                "statefulSet": {
                    "enableServiceLinks": true,
                    "highAvailability": {
                        "replicas": 1, "leaseDuration": 60, "renewDeadline": 40, "retryPeriod": 15
                    },
                    "persistence": { "volumeClaim": {
                        "enabled": "auto",
                        "accessModes": ["ReadWriteOnce"],
                        "retentionPolicy": "Retain",
                        "size": "5Gi"
                    } },
                    "scheduling": { "podManagementPolicy": "Parallel" }
                }
            },
            "exportKubeConfig": { "server": self.api_server },
            "experimental": { "syncSettings": { "setOwner": true } },
            "logging": { "encoding": "console" },
            "networking": { "advanced": {
                "clusterDomain": "cluster.local",
                "proxyKubelets": { "byHostname": true, "byIP": true }
            } },
            "rbac": { "clusterRole": auto, "role": enabled },
            "sync": {
                "fromHost": {
                    "csiDrivers": auto,
                    "csiNodes": auto,
                    "csiStorageCapacities": auto,
                    "events": enabled,
                    "storageClasses": auto
                },
                "toHost": {
                    "configMaps": enabled,
                    "endpointSlices": enabled,
                    "endpoints": enabled,
                    "ingresses": enabled,
                    "persistentVolumeClaims": enabled,
                    "pods": { "enabled": true, "rewriteHosts": {
                        "enabled": true,
                        "initContainer": {
                            "image": {
                                "registry": "mirror.gcr.io", "repository": "library/alpine", "tag": "3.20"
                            },
                            "resources": {
                                "limits": { "cpu": "30m", "memory": "64Mi" },
                                "requests": { "cpu": "30m", "memory": "64Mi" }
                            }
                        }
                    } },
                    "secrets": enabled,
                    "services": enabled
                }
            },
            "telemetry": { "enabled": false }
        });
        if let Some(registry) = &self.images.registry {
            let registry = registry.as_str();
            insert(
                &mut config,
                "/controlPlane/advanced",
                "defaultImageRegistry",
                registry,
            );
            let image = "/sync/toHost/pods/rewriteHosts/initContainer/image";
            insert(&mut config, image, "registry", registry);
        }
        config
    }

    fn api_arguments(&self) -> Vec<String> {
        let Some(single_sign_on) = &self.single_sign_on else {
            return Vec::new();
        };
        let ApiSingleSignOn {
            issuer,
            client_id,
            ca_pem,
            groups_claim,
            groups_prefix,
        } = single_sign_on;
        let mut arguments = vec![
            format!("--oidc-issuer-url={issuer}"),
            format!("--oidc-client-id={client_id}"),
            format!("--oidc-groups-claim={groups_claim}"),
        ];
        if ca_pem.is_some() {
            arguments.push(format!("--oidc-ca-file={CA_FOLDER}/ca.crt"));
        }
        if !groups_prefix.is_empty() {
            arguments.push(format!("--oidc-groups-prefix={groups_prefix}"));
        }
        arguments
    }

    /// Makes an object in the namespace of the cluster.
    fn object(&self, api_version: &str, kind: &str, name: &str, mut rest: Value) -> Value {
        let metadata = json!({
            "name": name, "namespace": self.name, "labels": self.selector()
        });
        insert(&mut rest, "", "apiVersion", api_version);
        insert(&mut rest, "", "kind", kind);
        insert(&mut rest, "", "metadata", metadata);
        rest
    }

    /// The selector of the chart, which cannot be changed later.
    fn selector(&self) -> Value {
        json!({ "app": "vcluster", "release": self.name })
    }

    fn role(&self) -> Value {
        let rule = |group: &str, resources: &[&str], verbs: &[&str]| json!({ "apiGroups": [group], "resources": resources, "verbs": verbs });
        let all = [
            "create", "delete", "patch", "update", "get", "list", "watch",
        ];
        let rules = [
            rule(
                "",
                &[
                    "configmaps",
                    "secrets",
                    "services",
                    "pods",
                    "pods/attach",
                    "pods/portforward",
                    "pods/exec",
                    "persistentvolumeclaims",
                ],
                &all,
            ),
            rule(
                "",
                &["pods/status", "pods/ephemeralcontainers"],
                &["patch", "update"],
            ),
            rule("", &["pods/resize"], &["patch", "update"]),
            rule(
                "apps",
                &["statefulsets", "replicasets", "deployments"],
                &["get", "list", "watch", "patch", "update"],
            ),
            rule("", &["endpoints", "pods/log"], &["get", "list", "watch"]),
            rule("", &["events"], &["create", "get", "list", "watch"]),
            rule(
                "events.k8s.io",
                &["events"],
                &["create", "get", "list", "watch"],
            ),
            rule("", &["endpoints"], &["create", "delete", "patch", "update"]),
            rule(
                "discovery.k8s.io",
                &["endpointslices"],
                &[
                    "create", "list", "get", "delete", "patch", "update", "watch",
                ],
            ),
            rule("networking.k8s.io", &["ingresses"], &all),
        ];
        let name = format!("vc-{}", self.name);
        self.object(
            "rbac.authorization.k8s.io/v1",
            "Role",
            &name,
            json!({ "rules": rules }),
        )
    }

    fn role_binding(&self) -> Value {
        let name = format!("vc-{}", self.name);
        let rest = json!({
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name },
            "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": self.name }]
        });
        self.object("rbac.authorization.k8s.io/v1", "RoleBinding", &name, rest)
    }

    fn service(&self) -> Value {
        let rest = json!({ "spec": {
            "type": "NodePort",
            "selector": self.selector(),
            "ports": [
                {
                    "name": "https", "port": 443, "targetPort": 8443, "protocol": "TCP",
                    "nodePort": self.https_node_port
                },
                { "name": "kubelet", "port": 10250, "targetPort": 8443, "protocol": "TCP" }
            ]
        } });
        let mut service = self.object("v1", "Service", &self.name, rest);
        set_metadata(&mut service, "labels", "vcluster.loft.sh/service", "true");
        service
    }

    fn headless_service(&self) -> Value {
        let rest = json!({ "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": true,
            "selector": self.selector(),
            "ports": [{ "name": "https", "port": 443, "targetPort": 8443, "protocol": "TCP" }]
        } });
        self.object("v1", "Service", &format!("{}-headless", self.name), rest)
    }

    fn stateful_set(&self, fingerprint: &str) -> Value {
        let empty = |name: &str| json!({ "name": name, "emptyDir": {} });
        let mut volumes = vec![
            empty("helm-cache"),
            empty("binaries"),
            empty("tmp"),
            empty("certs"),
            json!({
                "name": "vcluster-config",
                "secret": { "secretName": format!("vc-config-{}", self.name) }
            }),
        ];
        if self.ca_pem().is_some() {
            volumes.push(json!({ "name": "ca", "secret": { "secretName": CA_SECRET } }));
        }
        let mut pod = json!({
            "terminationGracePeriodSeconds": 15,
            "serviceAccountName": format!("vc-{}", self.name),
            "enableServiceLinks": true,
            "volumes": volumes,
            "initContainers": [{
                "name": "kubernetes",
                "image": self.image(&format!("ghcr.io/loft-sh/kubernetes:{}", self.kubernetes_version)),
                "command": ["cp"],
                "args": ["-r", "/kubernetes/.", "/binaries/"],
                "volumeMounts": [{ "name": "binaries", "mountPath": "/binaries" }],
                "resources": {
                    "limits": { "cpu": "100m", "memory": "256Mi" },
                    "requests": { "cpu": "40m", "memory": "64Mi" }
                }
            }],
            "containers": [self.syncer()]
        });
        if let Some(secret) = &self.images.pull_secret {
            insert(
                &mut pod,
                "",
                "imagePullSecrets",
                json!([{ "name": secret }]),
            );
        }
        let claim = json!({
            "metadata": { "name": "data" },
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": { "requests": { "storage": "5Gi" } }
            }
        });
        let rest = json!({ "spec": {
            "replicas": 1,
            "selector": { "matchLabels": self.selector() },
            "serviceName": format!("{}-headless", self.name),
            "podManagementPolicy": "Parallel",
            "persistentVolumeClaimRetentionPolicy": { "whenDeleted": "Retain" },
            "volumeClaimTemplates": [claim],
            "template": {
                "metadata": {
                    "labels": self.selector(),
                    // Another configuration makes a new pod, which reads it at its start.
                    "annotations": { "vClusterConfigHash": fingerprint }
                },
                "spec": pod
            }
        } });
        self.object("apps/v1", "StatefulSet", &self.name, rest)
    }

    fn syncer(&self) -> Value {
        let field = |name: &str, path: &str| json!({ "name": name, "valueFrom": { "fieldRef": { "fieldPath": path } } });
        let mount = |name: &str, path: &str| json!({ "name": name, "mountPath": path });
        let probe = |path: &str, period: u8, failures: u16| {
            json!({
                "httpGet": { "path": path, "port": 8443, "scheme": "HTTPS" },
                "periodSeconds": period,
                "timeoutSeconds": 3,
                "failureThreshold": failures
            })
        };
        let mut liveness = probe("/healthz", 2, 60);
        insert(&mut liveness, "", "initialDelaySeconds", 60);
        let mut mounts = vec![
            mount("data", "/data"),
            mount("binaries", "/binaries"),
            mount("certs", "/pki"),
            mount("helm-cache", "/.cache/helm"),
            mount("vcluster-config", "/var/lib/vcluster"),
            mount("tmp", "/tmp"),
        ];
        if self.ca_pem().is_some() {
            mounts.push(json!({ "name": "ca", "mountPath": CA_FOLDER, "readOnly": true }));
        }
        json!({
            "name": "syncer",
            "image": self.image(&format!("ghcr.io/loft-sh/vcluster-pro:{}", self.version.number())),
            "livenessProbe": liveness,
            "readinessProbe": probe("/readyz", 2, 60),
            "startupProbe": probe("/readyz", 6, 300),
            "securityContext": {
                "allowPrivilegeEscalation": false, "runAsGroup": 0, "runAsUser": 0
            },
            "resources": {
                "limits": { "ephemeral-storage": "10Gi", "memory": "4Gi" },
                "requests": { "cpu": "200m", "ephemeral-storage": "1Gi", "memory": "256Mi" }
            },
            "env": [
                { "name": "VCLUSTER_NAME", "value": self.name },
                { "name": "LOFT_LOG_ENCODING", "value": "console" },
                field("POD_NAME", "metadata.name"),
                field("POD_IP", "status.podIP"),
                field("NODE_NAME", "spec.nodeName"),
                field("NODE_IP", "status.hostIP")
            ],
            "volumeMounts": mounts
        })
    }

    fn image(&self, image: &str) -> String {
        let registry = self.images.registry.as_ref();
        registry.map_or_else(|| image.to_owned(), |registry| registry.mirror(image))
    }
}

const CA_SECRET: &str = "ca";
const CA_FOLDER: &str = "/etc/nautes";

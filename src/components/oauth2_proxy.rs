//! `OAuth2` Proxy, which asks for a login in front of the dashboards of Tekton, with the objects that its Helm chart
//! (10.7.0) would make, and the middlewares by which the gateway asks it.

use serde_json::{Value, json};

use super::catalogue::Component;
use super::digest::Sha256;
use super::entry_points::https_url;
use super::ingress::{Backend, Exposure, ingress};
use super::manifest::insert;
use super::version::Version;
use crate::secret::{ExposeSecret, Secret};

/// The settings of `OAuth2` Proxy.
#[derive(Clone, Debug)]
pub struct Oauth2Proxy {
    /// The issuer of tokens.
    pub issuer: String,
    /// The client that is registered there.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// What cookies are encrypted with: 16, 24 or 32 characters. Another one ends all sessions.
    pub cookie_secret: Secret,
    /// Certificates of a private authority that signs the issuer's certificate.
    pub ca_pem: Option<String>,
    /// The scopes that are asked for.
    pub scopes: Vec<String>,
    /// Where it is reached itself.
    pub exposure: Exposure,
    /// The address to which the issuer sends users back.
    pub redirect_url: String,
    /// The domain of the cluster, below which all hosts are: `10.1.1.1.nip.io`.
    pub domain: String,
    /// The port at which the gateway serves HTTPS.
    pub https_port: u16,
    /// The dashboards that it protects.
    pub dashboards: Vec<Dashboard>,
}

/// A dashboard of Tekton behind the gateway.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dashboard {
    /// The cluster that it belongs to.
    pub cluster: String,
    /// Whether this is a virtual cluster on the gateway's cluster.
    pub is_virtual: bool,
    /// Where it is reached.
    pub exposure: Exposure,
}

const NAME: &str = "oauth2-proxy";
const FORWARD: &str = "oauth-forward";

/// Returns the middleware that requires a login for the dashboard of a cluster, as annotations of an Ingress name it.
pub fn login_middleware(cluster: &str) -> String {
    format!(
        "{}-{}@kubernetescrd",
        Component::Traefik.namespace(),
        chain(cluster)
    )
}

fn chain(cluster: &str) -> String {
    format!("oauth-{cluster}")
}

const fn namespace() -> &'static str {
    Component::Oauth2Proxy.namespace()
}

impl Oauth2Proxy {
    pub(super) fn objects(&self, version: &Version) -> Vec<Value> {
        let config = json!({ "oauth2_proxy.cfg": CONFIG });
        let mut secrets = json!({
            "client-id": self.client_id,
            "client-secret": self.client_secret.expose_secret(),
            "cookie-secret": self.cookie_secret.expose_secret()
        });
        if let Some(ca_pem) = &self.ca_pem {
            insert(&mut secrets, "", "ca.crt", ca_pem.as_str());
        }
        let mut objects = vec![
            object(
                "v1",
                "ServiceAccount",
                json!({ "automountServiceAccountToken": false }),
            ),
            object("v1", "ConfigMap", json!({ "data": config })),
            object(
                "v1",
                "Service",
                json!({ "spec": {
                    "type": "ClusterIP",
                    "selector": selector(),
                    "ports": [
                        { "name": "http", "port": 80, "targetPort": "http", "protocol": "TCP", "appProtocol": "http" },
                        { "name": "metrics", "port": 44180, "targetPort": "metrics", "protocol": "TCP", "appProtocol": "http" }
                    ]
                } }),
            ),
            self.deployment(version, &fingerprint(&secrets)),
            object(
                "v1",
                "Secret",
                json!({ "type": "Opaque", "stringData": secrets }),
            ),
            ingress(namespace(), NAME, &self.exposure, &backend("/")),
            middleware(
                FORWARD,
                &json!({ "forwardAuth": {
                    "address": format!("http://{NAME}.{}/oauth2/auth", namespace()),
                    "trustForwardHeader": true,
                    "authResponseHeaders": ["X-Forwarded-User", "Authorization"]
                } }),
            ),
        ];
        for dashboard in &self.dashboards {
            objects.extend(self.login(dashboard));
        }
        objects
    }

    /// Builds what asks for a login in front of a dashboard.
    fn login(&self, dashboard: &Dashboard) -> [Value; 3] {
        let Dashboard {
            cluster,
            is_virtual,
            exposure,
        } = dashboard;
        let name = match is_virtual {
            true => format!("{cluster}-tekton-dashboard"),
            false => "tekton-dashboard".to_owned(),
        };
        let errors = format!("oauth-errors-{cluster}");
        let back = https_url(&exposure.host, self.https_port);
        [
            // The pages for the login, on the host of the dashboard.
            ingress(namespace(), &name, exposure, &backend("/oauth2")),
            middleware(
                &errors,
                &json!({ "errors": {
                    "status": ["401"],
                    "service": { "name": NAME, "namespace": namespace(), "port": 80 },
                    "query": format!("/oauth2/sign_in?rd={back}")
                } }),
            ),
            middleware(
                &chain(cluster),
                &json!({ "chain": { "middlewares": [{ "name": errors }, { "name": FORWARD }] } }),
            ),
        ]
    }

    fn deployment(&self, version: &Version, fingerprint: &str) -> Value {
        let secret = |variable: &str, key: &str| {
            json!({
                "name": variable,
                "valueFrom": { "secretKeyRef": { "name": NAME, "key": key } }
            })
        };
        let probe = |path: &str, timeout: u8| {
            json!({
                "httpGet": { "path": path, "port": "http", "scheme": "HTTP" },
                "timeoutSeconds": timeout
            })
        };
        let mut mounts = vec![json!({
            "name": "configmain",
            "mountPath": "/etc/oauth2_proxy/oauth2_proxy.cfg",
            "subPath": "oauth2_proxy.cfg"
        })];
        let mut volumes = vec![json!({ "name": "configmain", "configMap": { "name": NAME } })];
        if self.ca_pem.is_some() {
            mounts.push(json!({ "name": "ca", "mountPath": CA_FOLDER, "readOnly": true }));
            let items = json!([{ "key": "ca.crt", "path": "ca.crt" }]);
            volumes.push(json!({ "name": "ca", "secret": { "secretName": NAME, "items": items } }));
        }
        object(
            "apps/v1",
            "Deployment",
            json!({ "spec": {
                "replicas": 1,
                "selector": { "matchLabels": selector() },
                "template": {
                    "metadata": {
                        "labels": selector(),
                        // Other secrets make a new pod, which reads them at its start.
                        "annotations": { "nautes.terraform/configuration": fingerprint }
                    },
                    "spec": {
                        "serviceAccountName": NAME,
                        "automountServiceAccountToken": false,
                        "containers": [{
                            "name": NAME,
                            "image": format!("quay.io/oauth2-proxy/oauth2-proxy:{version}"),
                            "imagePullPolicy": "IfNotPresent",
                            "args": self.arguments(),
                            "env": [
                                secret("OAUTH2_PROXY_CLIENT_ID", "client-id"),
                                secret("OAUTH2_PROXY_CLIENT_SECRET", "client-secret"),
                                secret("OAUTH2_PROXY_COOKIE_SECRET", "cookie-secret")
                            ],
                            "ports": [
                                { "name": "http", "containerPort": 4180, "protocol": "TCP" },
                                { "name": "metrics", "containerPort": 44180, "protocol": "TCP" }
                            ],
                            "livenessProbe": probe("/ping", 1),
                            "readinessProbe": probe("/ready", 5),
                            "securityContext": {
                                "allowPrivilegeEscalation": false,
                                "capabilities": { "drop": ["ALL"] },
                                "readOnlyRootFilesystem": true,
                                "runAsGroup": 2000,
                                "runAsNonRoot": true,
                                "runAsUser": 2000,
                                "seccompProfile": { "type": "RuntimeDefault" }
                            },
                            "volumeMounts": mounts
                        }],
                        "volumes": volumes
                    }
                }
            } }),
        )
    }

    fn arguments(&self) -> Vec<String> {
        let domain = &self.domain;
        // The port of an address that names none is not written here either.
        let allowed = match self.https_port {
            443 => format!(".{domain}"),
            port => format!(".{domain}:{port}"),
        };
        let mut arguments = vec![
            "--http-address=0.0.0.0:4180".to_owned(),
            "--https-address=0.0.0.0:4443".to_owned(),
            "--metrics-address=0.0.0.0:44180".to_owned(),
            "--config=/etc/oauth2_proxy/oauth2_proxy.cfg".to_owned(),
            "--provider=oidc".to_owned(),
            format!("--oidc-issuer-url={}", self.issuer),
            format!("--redirect-url={}", self.redirect_url),
            format!("--scope={}", self.scopes.join(" ")),
            format!("--cookie-domain=.{domain}"),
            format!("--whitelist-domain={allowed}"),
            // The dashboard acts with the token of its user.
            "--set-authorization-header=true".to_owned(),
            "--reverse-proxy=true".to_owned(),
            "--skip-provider-button=true".to_owned(),
        ];
        if self.ca_pem.is_some() {
            arguments.push(format!("--provider-ca-file={CA_FOLDER}/ca.crt"));
            arguments.push("--use-system-trust-store=true".to_owned());
        }
        arguments
    }
}

const CA_FOLDER: &str = "/etc/nautes";

/// What the chart writes: whoever the issuer knows may log in, and no page is served but those for logins.
const CONFIG: &str = "email_domains = [\"*\"]\nupstreams = [\"file:///dev/null\"]\n";

/// The selector of the chart, which cannot be changed later.
fn selector() -> Value {
    json!({ "app.kubernetes.io/name": NAME, "app.kubernetes.io/instance": NAME })
}

fn backend(path: &str) -> Backend<'_> {
    Backend {
        path,
        service: NAME,
        port: 80.into(),
    }
}

/// Makes an object of the proxy; all of one kind have its name.
fn object(api_version: &str, kind: &str, mut rest: Value) -> Value {
    let metadata = json!({ "name": NAME, "namespace": namespace(), "labels": selector() });
    insert(&mut rest, "", "apiVersion", api_version);
    insert(&mut rest, "", "kind", kind);
    insert(&mut rest, "", "metadata", metadata);
    rest
}

fn middleware(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "Middleware",
        "metadata": { "name": name, "namespace": Component::Traefik.namespace() },
        "spec": spec
    })
}

/// Returns 16 hexadecimal digits that change with the secrets.
fn fingerprint(secrets: &Value) -> String {
    let digest = Sha256::compute(secrets.to_string().as_bytes()).to_string();
    digest.chars().take(16).collect()
}

//! The objects of Argo CD, and others that several kinds of clusters have.

use serde_json::{Value, json};

use super::{Installation, OIDC_SECRET};

/// The API server of the cluster in which an Argo CD runs, as it knows it.
pub(super) const IN_CLUSTER: &str = "https://kubernetes.default.svc";

/// An Application of Argo CD.
pub(super) struct Application<'a> {
    pub(super) name: String,
    pub(super) project: &'a str,
    pub(super) source: Value,
    pub(super) server: &'a str,
    pub(super) namespace: &'a str,
    /// Whether its namespace is created.
    pub(super) creates_namespace: bool,
    /// Whether its objects are deleted with it.
    pub(super) cascades: bool,
}

impl Application<'_> {
    pub(super) fn object(&self) -> Value {
        let mut metadata = json!({ "name": self.name, "namespace": "argocd" });
        if self.cascades
            && let Some(metadata) = metadata.as_object_mut()
        {
            let finalizers = json!(["resources-finalizer.argocd.argoproj.io"]);
            metadata.insert("finalizers".to_owned(), finalizers);
        }
        json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": metadata,
            "spec": {
                "project": self.project,
                "source": self.source,
                "destination": { "server": self.server, "namespace": self.namespace },
                "syncPolicy": sync_policy(self.creates_namespace),
            },
        })
    }
}

fn sync_policy(creates_namespace: bool) -> Value {
    let automated = json!({ "prune": true, "selfHeal": true });
    if creates_namespace {
        return json!({ "automated": automated, "syncOptions": ["CreateNamespace=true"] });
    }
    json!({ "automated": automated })
}

/// Returns the source of an Application: a folder of the tenant's repository.
pub(super) fn folder(installation: &Installation, path: &str) -> Value {
    json!({
        "repoURL": installation.repository_url,
        "path": path,
        "targetRevision": "HEAD",
    })
}

/// Returns the source of an Application: a Helm chart with its values.
pub(super) fn chart(url: &str, chart: &str, version: &str, values: &Value) -> Value {
    json!({
        "repoURL": url,
        "chart": chart,
        "targetRevision": version,
        "helm": { "values": crate::yaml::write(values) },
    })
}

/// Returns a set of one Application for each of some clusters of a list, `{{cluster}}`.
pub(super) fn list_application_set(
    installation: &Installation,
    name: &str,
    clusters: &[&str],
    (application, path): (&str, &str),
    creates_namespace: bool,
) -> Value {
    let elements = clusters.iter().map(|cluster| json!({ "cluster": cluster }));
    let generator = json!({ "list": { "elements": elements.collect::<Vec<_>>() } });
    let application = Application {
        name: application.to_owned(),
        project: &installation.tenant,
        source: folder(installation, path),
        server: IN_CLUSTER,
        namespace: "argocd",
        creates_namespace,
        cascades: false,
    };
    application_set(name, &generator, &application)
}

/// Returns a set of one Application for each worker that the Argo CD of the tenant knows.
pub(super) fn worker_application_set(
    installation: &Installation,
    name: &str,
    path: &str,
    namespace: &str,
) -> Value {
    let labels = json!({ "cluster.nautes.io/usage": "worker" });
    let generator = json!({ "clusters": { "selector": { "matchLabels": labels } } });
    let application = Application {
        name: format!("{{{{name}}}}-{name}"),
        project: &installation.tenant,
        source: folder(
            installation,
            &format!("runtimes/{{{{name}}}}-runtime{path}"),
        ),
        server: "{{server}}",
        namespace,
        creates_namespace: true,
        cascades: false,
    };
    application_set(&format!("{name}-appset"), &generator, &application)
}

fn application_set(name: &str, generator: &Value, application: &Application<'_>) -> Value {
    let object = application.object();
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": { "name": name, "namespace": "argocd" },
        "spec": {
            "generators": [generator],
            "template": {
                "metadata": { "name": application.name },
                "spec": object.get("spec"),
            },
        },
    })
}

/// Returns a kustomization.
pub(super) fn kustomization(
    namespace: Option<&str>,
    resources: &[&str],
    patches: &[&str],
) -> Value {
    let mut object = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": resources,
    });
    if let Some(object) = object.as_object_mut() {
        if let Some(namespace) = namespace {
            object.insert("namespace".to_owned(), namespace.into());
        }
        if !patches.is_empty() {
            object.insert("patchesStrategicMerge".to_owned(), json!(patches));
        }
    }
    object
}

pub(super) fn namespace(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } })
}

pub(super) fn secret(namespace: Option<&str>, name: &str, key: &str, text: &str) -> Value {
    let mut metadata = json!({ "name": name });
    if let (Some(metadata), Some(namespace)) = (metadata.as_object_mut(), namespace) {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "Opaque",
        "stringData": { key: text },
    })
}

/// Returns an Ingress of Traefik for all paths below one.
pub(super) fn ingress(
    (namespace, name): (&str, &str),
    annotations: &Value,
    (host, path): (&str, &str),
    (service, port): (&str, &Value),
) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": { "name": name, "namespace": namespace, "annotations": annotations },
        "spec": {
            "ingressClassName": "traefik",
            "rules": [{
                "host": host,
                "http": { "paths": [{
                    "path": path,
                    "pathType": "Prefix",
                    "backend": { "service": { "name": service, "port": port } },
                }] },
            }],
            "tls": [{ "hosts": [host] }],
        },
    })
}

/// Returns the source of `OAuth2` Proxy, whose client is in a Secret.
pub(super) fn oauth2_proxy(
    installation: &Installation,
    (host, port): (&str, &str),
    domain: &str,
) -> Value {
    let values = json!({
        "config": { "existingSecret": OIDC_SECRET },
        "extraArgs": {
            "provider": "oidc",
            "provider-display-name": "Dex",
            "whitelist-domain": format!(".{domain}:{port}"),
            "cookie-secure": "true",
            "cookie-domain": format!(".{domain}"),
            "redirect-url": format!("https://{host}:{port}/oauth2/callback"),
            "oidc-issuer-url": installation.issuer,
            "scope": "openid profile email groups",
            "email-domain": "*",
            "skip-provider-button": "false",
            "set-authorization-header": "true",
        },
        "ingress": {
            "enabled": true,
            "annotations": { "kubernetes.io/ingress.class": "traefik" },
            "hosts": [host],
            "path": "/",
            "tls": [{ "hosts": [host] }],
        },
        "extraVolumes": [{ "name": "ca", "secret": { "secretName": "idp-ca-secret" } }],
        "extraVolumeMounts": [{ "name": "ca", "mountPath": "/etc/ssl/certs/" }],
    });
    let url = "https://oauth2-proxy.github.io/manifests";
    chart(url, "oauth2-proxy", "6.12.0", &values)
}

/// Returns the source of Traefik at two node ports.
pub(super) fn traefik(http_port: &str, https_port: &str) -> Value {
    let number = |port: &str| {
        port.parse::<u16>()
            .map_or_else(|_| json!(port), Value::from)
    };
    let values = json!({
        "service": {
            "type": "NodePort",
            "annotations": {
                "cluster-operator.nautes.io/http-entrypoint": "web",
                "cluster-operator.nautes.io/https-entrypoint": "websecure",
            },
            "labels": { "resource.nautes.io/Usage": "Entrypoint" },
        },
        "ports": {
            "traefik": { "port": 9000 },
            "web": { "nodePort": number(http_port) },
            "websecure": { "nodePort": number(https_port), "tls": { "enabled": true } },
        },
        "providers": {
            "kubernetesIngress": { "publishedService": { "enabled": true } },
            "kubernetesCRD": { "allowCrossNamespace": true },
        },
    });
    chart(
        "https://helm.traefik.io/traefik",
        "traefik",
        "v10.22.0",
        &values,
    )
}

fn middleware(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "traefik.containo.us/v1alpha1",
        "kind": "Middleware",
        "metadata": { "name": name, "namespace": "traefik" },
        "spec": spec,
    })
}

/// Returns the middleware that asks `OAuth2` Proxy about each request.
pub(super) fn forward_middleware(proxy: &str) -> Value {
    middleware(
        "oauth-forward",
        &json!({ "forwardAuth": {
            "address": format!("http://{proxy}.oauth2-proxy/oauth2/auth"),
            "trustForwardHeader": true,
            "authResponseHeaders": ["X-Forwarded-User", "Authorization"],
        } }),
    )
}

/// Returns the two middlewares that send the users of a cluster's dashboard to their login.
pub(super) fn login_middlewares(proxy: &str, cluster: &str, url: &str) -> [Value; 2] {
    let chain = json!({ "chain": { "middlewares": [
        { "name": format!("oauth-errors-{cluster}") },
        { "name": "oauth-forward" },
    ] } });
    let errors = json!({ "errors": {
        "status": ["401"],
        "service": { "name": proxy, "namespace": "oauth2-proxy", "port": 80 },
        "query": format!("/oauth2/sign_in?rd={url}"),
    } });
    [
        middleware(&format!("oauth-{cluster}"), &chain),
        middleware(&format!("oauth-errors-{cluster}"), &errors),
    ]
}

/// Returns the namespace and the account with which Vault verifies the service accounts of a cluster.
pub(super) fn reviewer() -> [Value; 3] {
    [
        namespace("vault"),
        json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": { "name": "vault-auth", "namespace": "vault" },
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": { "name": "role-tokenreview-binding" },
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "system:auth-delegator",
            },
            "subjects": [{
                "kind": "ServiceAccount",
                "name": "vault-auth",
                "namespace": "vault",
            }],
        }),
    ]
}

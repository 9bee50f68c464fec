//! The files of workers: the Applications in their own Argo CD, and what these apply.

use serde_json::{Value, json};

use super::objects::{
    Application, IN_CLUSTER, chart, folder, forward_middleware, ingress, kustomization,
    login_middlewares, oauth2_proxy, reviewer, secret, traefik,
};
use super::{
    Clusters, Files, Installation, OIDC_SECRET, addition, has, host_and_port, put, put_all,
};
use crate::entity::{Cluster, ClusterType, ComponentSlot};
use crate::yaml;

/// Adds the files of a worker.
pub(super) fn files(cluster: &Cluster, clusters: &Clusters<'_>, files: &mut Files) {
    let worker = Worker {
        cluster,
        installation: clusters.installation,
        root: format!("runtimes/{}-runtime", cluster.name),
        project: format!("{}-runtime-project", cluster.name),
        https_port: clusters.https_port(cluster),
    };
    worker.add_root(files);
    worker.add_initial(files);
    worker.add_applications(files);
    if has(cluster, ComponentSlot::Deployment, "argocd") {
        worker.add_argo_cd(files);
    }
    if has(cluster, ComponentSlot::EventListener, "argo-events") {
        worker.add_argo_events(files);
    }
    if has(cluster, ComponentSlot::Pipeline, "tekton") {
        worker.add_tekton(files);
    }
    if worker.is_physical() {
        worker.add_gateway(files);
    }
}

struct Worker<'a> {
    cluster: &'a Cluster,
    installation: &'a Installation,
    root: String,
    project: String,
    https_port: String,
}

impl Worker<'_> {
    fn is_physical(&self) -> bool {
        self.cluster.shape.cluster_type() == ClusterType::Physical
    }

    fn overlay(&self, component: &str, file: &str) -> String {
        format!("{}/{component}/overlays/production/{file}", self.root)
    }

    fn host(&self, slot: ComponentSlot) -> String {
        addition(self.cluster, slot, "host")
    }

    fn domain(&self) -> &str {
        self.cluster.primary_domain.as_deref().unwrap_or_default()
    }

    fn application(&self, name: &str, source: Value, namespace: &str) -> Value {
        let application = Application {
            name: name.to_owned(),
            project: &self.project,
            source,
            server: IN_CLUSTER,
            namespace,
            creates_namespace: true,
            cascades: false,
        };
        application.object()
    }

    fn add_root(&self, files: &mut Files) {
        let application = Application {
            name: format!("{}-runtime-app", self.cluster.name),
            project: &self.project,
            source: folder(self.installation, &format!("{}/production", self.root)),
            server: IN_CLUSTER,
            namespace: "argocd",
            creates_namespace: false,
            cascades: false,
        };
        put(
            files,
            format!("{}/runtime-app.yaml", self.root),
            &application.object(),
        );
        let any = json!([{ "group": "*", "kind": "*" }]);
        let project = json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AppProject",
            "metadata": { "name": self.project, "namespace": "argocd" },
            "spec": {
                "sourceRepos": ["*"],
                "destinations": [{ "server": "*", "namespace": "*" }],
                "clusterResourceWhitelist": any,
                "namespaceResourceWhitelist": any,
            },
        });
        put(
            files,
            format!("{}/runtime-project.yaml", self.root),
            &project,
        );
    }

    fn add_initial(&self, files: &mut Files) {
        let Installation {
            git_url,
            vault_url,
            vault_ca_pem,
            ..
        } = self.installation;
        let name = self.cluster.name.as_str();
        let config = json!({
            "git": { "addr": git_url, "defaultDeployKeyType": "ecdsa", "gitType": "gitlab" },
            "secret": { "vault": {
                "addr": vault_url, "mountPath": name, "CABundle": vault_ca_pem,
            } },
        });
        let object = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "nautes-configs", "namespace": "nautes" },
            "data": { "config": yaml::write(&config) },
        });
        put(files, self.overlay("initial", "cm-nautes.yaml"), &object);
        let mut resources = vec!["../../../../../nautes/overlays/runtime", "cm-nautes.yaml"];
        if self.is_physical() {
            resources.push("rbac-vault.yaml");
            put_all(
                files,
                self.overlay("initial", "rbac-vault.yaml"),
                &reviewer(),
            );
        }
        let kustomization = kustomization(None, &resources, &[]);
        put(
            files,
            self.overlay("initial", "kustomization.yaml"),
            &kustomization,
        );
    }

    /// The Applications of all components that the manifest names.
    fn add_applications(&self, files: &mut Files) {
        let repository = |path: &str| folder(self.installation, path);
        let own = |component: &str| {
            folder(
                self.installation,
                &format!("{}/{component}/overlays/production", self.root),
            )
        };
        let tasks = json!({
            "repoURL": "https://github.com/nautes-labs/tekton-catalog.git",
            "path": "task",
            "targetRevision": "HEAD",
        });
        let tekton = "tekton-pipelines";
        for (slot, component, file, object) in [
            (
                ComponentSlot::MultiTenant,
                "hnc",
                "hnc",
                self.application("hnc", repository("hnc/overlays/production"), "hnc-system"),
            ),
            (
                ComponentSlot::SecretSync,
                "external-secrets",
                "external-secret",
                self.application("external-secrets", external_secrets(), "external-secrets"),
            ),
            (
                ComponentSlot::SecretSync,
                "external-secrets",
                "external-secrets-resources",
                self.application(
                    "external-secrets-resources",
                    repository("external-secrets/overlays/production"),
                    "external-secrets",
                ),
            ),
            (
                ComponentSlot::ProgressiveDelivery,
                "argo-rollouts",
                "argo-rollouts",
                self.application(
                    "argo-rollouts",
                    repository("argorollouts/overlays/production"),
                    "argo-rollouts",
                ),
            ),
            (
                ComponentSlot::EventListener,
                "argo-events",
                "argo-events",
                self.application("argo-events", own("argoevents"), "argo-events"),
            ),
            (
                ComponentSlot::Pipeline,
                "tekton",
                "tekton",
                self.application("tekton", own("tekton"), tekton),
            ),
            (
                ComponentSlot::Pipeline,
                "tekton",
                "tekton-cluster-tasks",
                self.application("tekton-cluster-tasks", tasks, tekton),
            ),
            (
                ComponentSlot::SecretManagement,
                "vault",
                "vault",
                self.injector(),
            ),
        ] {
            if has(self.cluster, slot, component) {
                put(
                    files,
                    format!("{}/production/{file}-app.yaml", self.root),
                    &object,
                );
            }
        }
    }

    /// The injector of Vault's secrets into pods.
    fn injector(&self) -> Value {
        let injector = json!({
            "global": { "enabled": false },
            "injector": {
                "enabled": true,
                "authPath": format!("auth/{}", self.cluster.name),
                "externalVaultAddr": self.installation.vault_url,
            },
        });
        let injector = chart(
            "https://helm.releases.hashicorp.com/",
            "vault",
            "0.20.1",
            &injector,
        );
        let mut application = self.application("vault", injector, "vault");
        ignore_webhook_certificates(&mut application);
        application
    }

    fn add_argo_cd(&self, files: &mut Files) {
        let Installation {
            git_url,
            git_ca_pem,
            issuer,
            issuer_ca_pem,
            client_id,
            ..
        } = self.installation;
        let host = self.host(ComponentSlot::Deployment);
        let file = |name: &str| self.overlay("argocd", name);
        let resources = [
            "../../../../../argocd/overlays/production",
            "ingress-argocd-server.yaml",
            "secret-ipd-ca.yaml",
        ];
        let patches = [
            "patch-argocd-cm.yaml",
            "patch-argocd-dex-server.yaml",
            "patch-argocd-tls-certs-cm.yaml",
        ];
        let kustomization = kustomization(Some("argocd"), &resources, &patches);
        put(files, file("kustomization.yaml"), &kustomization);
        let ingress = ingress(
            ("argocd", "argocd-server"),
            &json!({}),
            (&host, "/"),
            ("argocd-server", &json!({ "name": "https" })),
        );
        put(files, file("ingress-argocd-server.yaml"), &ingress);
        let ca = secret(
            None,
            "idp-ca-secret",
            "ca-certs-Private-DEX.pem",
            issuer_ca_pem,
        );
        put(files, file("secret-ipd-ca.yaml"), &ca);
        let dex = json!({ "connectors": [{
            "type": "oidc",
            "id": "dex",
            "name": "Dex",
            "config": {
                "issuer": issuer,
                "clientID": client_id,
                // Argo CD reads it from the Secret, which has its label.
                "clientSecret": format!("${OIDC_SECRET}:client-secret"),
                "insecureEnableGroups": true,
                "scopes": ["openid", "profile", "email", "groups"],
                "getUserInfo": true,
            },
        }] });
        let config_map = |name: &str, data: Value| {
            json!({
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": { "name": name },
                "data": data,
            })
        };
        let settings = json!({
            "kustomize.buildOptions": "--load-restrictor LoadRestrictionsNone",
            "url": format!("https://{host}:{}", self.https_port),
            "dex.config": yaml::write(&dex),
        });
        put(
            files,
            file("patch-argocd-cm.yaml"),
            &config_map("argocd-cm", settings),
        );
        let dex_server = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": "argocd-dex-server" },
            "spec": { "template": { "spec": {
                "containers": [{
                    "name": "dex",
                    "volumeMounts": [{ "name": "idp-ca", "mountPath": "/etc/ssl/certs/" }],
                }],
                "volumes": [{ "name": "idp-ca", "secret": { "secretName": "idp-ca-secret" } }],
            } } },
        });
        put(files, file("patch-argocd-dex-server.yaml"), &dex_server);
        let certificates = json!({ host_and_port(git_url).0: git_ca_pem });
        put(
            files,
            file("patch-argocd-tls-certs-cm.yaml"),
            &config_map("argocd-tls-certs-cm", certificates),
        );
    }

    fn add_argo_events(&self, files: &mut Files) {
        let file = |name: &str| self.overlay("argoevents", name);
        let resources = [
            "../../../../../argoevents/overlays/production",
            "cm-ca-certificates.yaml",
            "rbac-tekton.yaml",
        ];
        let kustomization = kustomization(Some("argo-events"), &resources, &[]);
        put(files, file("kustomization.yaml"), &kustomization);
        let certificates = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "ca-certificates" },
            "data": { "ca.crt": self.installation.issuer_ca_pem },
        });
        put(files, file("cm-ca-certificates.yaml"), &certificates);
        let binding = binding(
            "tekton-pipelines-argoevents-cluster-access",
            "tekton-pipelines-controller-cluster-access",
            &json!({
                "kind": "ServiceAccount", "name": "argo-events-sa", "namespace": "argo-events",
            }),
        );
        put(files, file("rbac-tekton.yaml"), &binding);
    }

    fn add_tekton(&self, files: &mut Files) {
        let file = |name: &str| self.overlay("tekton", name);
        let resources = [
            "../../../../../tekton/overlays/production",
            "ingress-tekton-dashboard.yaml",
            "rbac-tekton-dashboard.yaml",
        ];
        let kustomization = kustomization(None, &resources, &[]);
        put(files, file("kustomization.yaml"), &kustomization);
        let middleware = format!("traefik-oauth-{}@kubernetescrd", self.cluster.name);
        let ingress = ingress(
            ("tekton-pipelines", "tekton-dashboard"),
            &json!({ "traefik.ingress.kubernetes.io/router.middlewares": middleware }),
            (&self.host(ComponentSlot::Pipeline), "/"),
            ("tekton-dashboard", &json!({ "number": 9097 })),
        );
        put(files, file("ingress-tekton-dashboard.yaml"), &ingress);
        let rule = |groups: Value, resources: Value, verbs: Value| json!({ "apiGroups": groups, "resources": resources, "verbs": verbs });
        let read = json!(["get", "list", "watch"]);
        let users = json!({
            "kind": "Group",
            "name": "system:authenticated",
            "apiGroup": "rbac.authorization.k8s.io",
        });
        let role = |name: &str, rules: Value| {
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRole",
                "metadata": { "name": name },
                "rules": rules,
            })
        };
        let global = json!([
            rule(json!([""]), json!(["namespaces"]), read.clone()),
            rule(
                json!(["dashboard.tekton.dev"]),
                json!(["extensions"]),
                read.clone()
            ),
            rule(json!(["tekton.dev"]), json!(["clustertasks"]), read.clone()),
        ]);
        let namespaced = json!([
            rule(json!([""]), json!(["events", "pods", "pods/log"]), read),
            rule(
                json!(["tekton.dev", "triggers.tekton.dev"]),
                json!(["*"]),
                json!(["*"])
            ),
        ]);
        put_all(
            files,
            file("rbac-tekton-dashboard.yaml"),
            &[
                role("tekton-user-global", global),
                binding("tekton-user-global", "tekton-user-global", &users),
                role("tekton-user-namespaced", namespaced),
            ],
        );
    }

    /// `OAuth2` Proxy and Traefik of a physical worker.
    fn add_gateway(&self, files: &mut Files) {
        let installation = self.installation;
        let (name, domain, port) = (&self.cluster.name, self.domain(), &self.https_port);
        let own = |component: &str| {
            folder(
                installation,
                &format!("{}/{component}/overlays/production", self.root),
            )
        };
        let dashboard = self.host(ComponentSlot::Pipeline);
        let mut put_application = |file: &str, source, namespace: &str| {
            let path = format!("{}/production/{file}-app.yaml", self.root);
            put(files, path, &self.application(file, source, namespace));
        };
        let has_proxy = has(self.cluster, ComponentSlot::OauthProxy, "oauth2-proxy");
        let has_gateway = has(self.cluster, ComponentSlot::Gateway, "traefik");
        if has_proxy {
            let auth = format!("auth.{name}.{domain}");
            let source = oauth2_proxy(installation, (&auth, port), domain);
            put_application("oauth2-proxy", source, "oauth2-proxy");
            put_application(
                "oauth2-proxy-resources",
                own("oauth2-proxy"),
                "oauth2-proxy",
            );
        }
        if has_gateway {
            let http = addition(self.cluster, ComponentSlot::Gateway, "httpNodePort");
            put_application("traefik", traefik(&http, port), "traefik");
            put_application("traefik-resources", own("traefik"), "traefik");
        }
        if has_proxy {
            let file = |name: &str| self.overlay("oauth2-proxy", name);
            let mut resources = vec!["secret-ipd-ca.yaml"];
            let ca = secret(None, "idp-ca-secret", "ca.crt", &installation.issuer_ca_pem);
            put(files, file("secret-ipd-ca.yaml"), &ca);
            if !dashboard.is_empty() {
                resources.push("ingress-tekton-dashboard.yaml");
                let ingress = ingress(
                    ("oauth2-proxy", "tekton-dashboard"),
                    &json!({}),
                    (&dashboard, "/oauth2"),
                    ("oauth2-proxy", &json!({ "number": 80 })),
                );
                put(files, file("ingress-tekton-dashboard.yaml"), &ingress);
            }
            let kustomization = kustomization(Some("oauth2-proxy"), &resources, &[]);
            put(files, file("kustomization.yaml"), &kustomization);
        }
        if has_gateway {
            let file = |name: &str| self.overlay("traefik", name);
            let mut resources = vec!["../../../../../traefik/overlays/production"];
            if !dashboard.is_empty() {
                resources.push("middleware-oauth.yaml");
                let url = format!("https://{dashboard}:{port}");
                let [chain, errors] = login_middlewares("oauth2-proxy", name.as_str(), &url);
                let forward = forward_middleware("oauth2-proxy");
                put_all(
                    files,
                    file("middleware-oauth.yaml"),
                    &[forward, chain, errors],
                );
            }
            let kustomization = kustomization(Some("traefik"), &resources, &[]);
            put(files, file("kustomization.yaml"), &kustomization);
        }
    }
}

/// Returns the source of External Secrets.
fn external_secrets() -> Value {
    let values = json!({
        "extraVolumes": [{ "name": "ca", "secret": { "secretName": "ca" } }],
        "extraVolumeMounts": [{
            "name": "ca", "mountPath": "/etc/ssl/certs/ca.crt", "subPath": "ca.crt",
        }],
    });
    chart(
        "https://charts.external-secrets.io",
        "external-secrets",
        "0.5.7",
        &values,
    )
}

fn binding(name: &str, role: &str, subject: &Value) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": { "name": name },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
        "subjects": [subject],
    })
}

/// Leaves the certificates of webhooks to the injector, which makes them.
fn ignore_webhook_certificates(application: &mut Value) {
    let ignored = json!([{
        "group": "admissionregistration.k8s.io",
        "kind": "MutatingWebhookConfiguration",
        "jqPathExpressions": [".webhooks[]?.clientConfig.caBundle"],
    }]);
    if let Some(spec) = application.get_mut("spec").and_then(Value::as_object_mut) {
        spec.insert("ignoreDifferences".to_owned(), ignored);
    }
    let options = application.pointer_mut("/spec/syncPolicy/syncOptions");
    if let Some(options) = options.and_then(Value::as_array_mut) {
        options.push("RespectIgnoreDifferences=true".into());
    }
}

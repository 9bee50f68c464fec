//! What the credential of runtimes may do in a worker, and what the API server refuses to it.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use terraform_provider_nautes::permissions::{RIGHTS, Right, Scope};
use testbed::{ControlPlane, Error, Method};

use crate::cluster::{Stack, manifest};
use crate::test_env::Case;

const LABEL: &str = "resource.nautes.io/belongsto";
const RUNTIME: &str = "system:serviceaccount:nautes:nautes-runtime";
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const ESO: &str = "/apis/external-secrets.io/v1";
const ARGO: &str = "/apis/argoproj.io/v1alpha1";
const IN_CLUSTER: &str = "https://kubernetes.default.svc";

/// A call with the credential of runtimes.
struct Call {
    what: &'static str,
    method: Method,
    path: String,
    body: Option<Value>,
}

fn call(what: &'static str, method: Method, path: impl Into<String>, body: Value) -> Call {
    let body = (!body.is_null()).then_some(body);
    let path = path.into();
    Call {
        what,
        method,
        path,
        body,
    }
}

fn create(what: &'static str, path: impl Into<String>, body: Value) -> Call {
    call(what, Method::POST, path, body)
}

/// A worker with the namespaces and kinds of the components, but nothing that runs.
struct Worker {
    stack: Stack,
    token: String,
}

impl Worker {
    fn start() -> anyhow::Result<Self> {
        let mut stack = Stack::start()?;
        let (variable, address) = ("NAUTES_VAULT_CLUSTER_ADDRESS", "https://vault.example.com");
        stack.env.workspace.set_env(variable, address);
        let control_plane = &stack.control_plane;
        for namespace in ["argocd", "argo-events", "payments"] {
            control_plane.kubectl(["create", "namespace", namespace])?;
        }
        for file in [
            "argo-cd-v3.5.1.yaml",
            "argo-events-v1.9.11.yaml",
            "external-secrets-2.9.0.yaml",
        ] {
            control_plane.apply(&definitions(file)?)?;
        }
        control_plane.apply(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: argocd-rbac-cm, namespace: argocd }\ndata: { policy.csv: 'p, role:x, projects, get, y, allow' }\n---\napiVersion: v1\nkind: Secret\nmetadata: { name: argocd-secret, namespace: argocd }\nstringData: { server.secretkey: abc }\n",
        )?;
        stack.env.workspace.apply()?;
        let secret = stack.secret_of("runtime")?;
        let kubeconfig: Value =
            serde_json::from_str(secret["kubeconfig"].as_str().unwrap_or_default())?;
        let token = kubeconfig["users"][0]["user"]["token"].as_str();
        let token = token.unwrap_or_default().to_owned();
        Ok(Self { stack, token })
    }

    fn control_plane(&self) -> &ControlPlane {
        &self.stack.control_plane
    }

    fn call(&self, call: &Call) -> Result<Value, Error> {
        let Call { method, path, .. } = call;
        self.control_plane()
            .api_as(&self.token, method.clone(), path, call.body.as_ref())
    }

    fn assert_allowed(&self, allowed: &Call) -> anyhow::Result<Value> {
        self.call(allowed)
            .map_err(|error| anyhow::anyhow!("{}: {error:?}", allowed.what))
    }

    /// Returns the message with which the API server refuses a call.
    fn refusal(&self, refused: &Call) -> anyhow::Result<String> {
        match self.call(refused) {
            Err(Error::Refused {
                status: 403, text, ..
            }) => Ok(text),
            other => anyhow::bail!("{} was not refused: {other:?}", refused.what),
        }
    }

    /// Makes a product with one more namespace.
    fn make_product(&self) -> anyhow::Result<()> {
        for name in ["product-42", "shop-test"] {
            self.assert_allowed(&create(
                "a namespace of a product",
                "/api/v1/namespaces",
                namespace(name, Some("product-42")),
            ))?;
        }
        Ok(())
    }
}

/// Returns the definitions of kinds in a manifest.
fn definitions(file: &str) -> anyhow::Result<String> {
    let (path, _) = manifest(file)?;
    let text = std::fs::read_to_string(path)?;
    let documents = text.split("\n---");
    let definitions: Vec<&str> = documents
        .filter(|document| document.contains("\nkind: CustomResourceDefinition"))
        .collect();
    Ok(definitions.join("\n---"))
}

fn namespace(name: &str, product: Option<&str>) -> Value {
    let labels: BTreeMap<&str, &str> = product
        .map(|product| (LABEL, product))
        .into_iter()
        .collect();
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": labels } })
}

fn object(api_version: &str, kind: &str, name: &str, rest: &Value) -> Value {
    let mut object = json!({
        "apiVersion": api_version, "kind": kind, "metadata": { "name": name },
    });
    for (key, value) in rest.as_object().into_iter().flatten() {
        object[key] = value.clone();
    }
    object
}

fn role_binding(name: &str, role: &Value, subject: &Value) -> Value {
    let rest = json!({ "roleRef": role, "subjects": [subject] });
    object("rbac.authorization.k8s.io/v1", "RoleBinding", name, &rest)
}

fn cluster_role(name: &str) -> Value {
    json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name })
}

fn account(namespace: &str, name: &str) -> Value {
    json!({ "kind": "ServiceAccount", "namespace": namespace, "name": name })
}

fn group(name: &str) -> Value {
    json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": name })
}

fn service_account(name: &str) -> Value {
    object("v1", "ServiceAccount", name, &json!({}))
}

fn secret_store(name: &str, account: &str, provider: Option<&Value>) -> Value {
    let vault = json!({ "vault": {
        "server": "https://vault.example.com", "path": "git", "version": "v2",
        "auth": { "kubernetes": {
            "mountPath": "deploy-01", "role": "product-42",
            "serviceAccountRef": { "name": account, "audiences": ["vault"] },
        } },
    } });
    let provider = provider.unwrap_or(&vault);
    let rest = json!({ "spec": { "provider": provider } });
    object("external-secrets.io/v1", "SecretStore", name, &rest)
}

/// A store that logs in with `change`d arguments.
fn changed_store(change: impl FnOnce(&mut Value)) -> Value {
    let mut store = secret_store("nautes-product-42", "nautes-product-42", None);
    change(&mut store["spec"]["provider"]["vault"]);
    store
}

/// The credential of a repository in Argo CD.
fn repository_credential(change: impl FnOnce(&mut Value)) -> Value {
    let name = "nautes-product-42-repo-7";
    let mut spec = json!({
        "refreshInterval": "5m",
        "secretStoreRef": { "kind": "SecretStore", "name": "nautes-product-42" },
        "target": {
            "name": name,
            "creationPolicy": "Owner",
            "template": {
                "metadata": { "labels": { "argocd.argoproj.io/secret-type": "repository" } },
                "data": {
                    "type": "git", "name": "repo-7", "project": "product-42",
                    "url": "ssh://git@gitlab.example.com/demo/shop.git",
                    "sshPrivateKey": "{{ .deploykey }}",
                },
            },
        },
        "data": [{
            "secretKey": "deploykey",
            "remoteRef": { "key": "gitlab/repo-7/default/readonly", "property": "deploykey" },
        }],
    });
    change(&mut spec);
    let rest = json!({ "spec": spec });
    object("external-secrets.io/v1", "ExternalSecret", name, &rest)
}

fn project(change: impl FnOnce(&mut Value)) -> Value {
    let mut spec = json!({
        "sourceRepos": ["ssh://git@gitlab.example.com/demo/shop.git"],
        "destinations": [{ "server": IN_CLUSTER, "namespace": "shop-test" }],
    });
    change(&mut spec);
    let rest = json!({ "spec": spec });
    object("argoproj.io/v1alpha1", "AppProject", "product-42", &rest)
}

fn application(change: impl FnOnce(&mut Value)) -> Value {
    let mut spec = json!({
        "project": "product-42",
        "source": { "repoURL": "ssh://git@gitlab.example.com/demo/shop.git", "path": "a", "targetRevision": "main" },
        "destination": { "server": IN_CLUSTER, "namespace": "shop-test" },
        "syncPolicy": { "automated": { "prune": true }, "retry": { "limit": 2 } },
    });
    change(&mut spec);
    let rest = json!({ "spec": spec });
    object(
        "argoproj.io/v1alpha1",
        "Application",
        "product-42-shop-test",
        &rest,
    )
}

fn event_source(change: impl FnOnce(&mut Value)) -> Value {
    let mut spec = json!({
        "service": { "ports": [{ "port": 12000, "targetPort": 12000 }] },
        "template": {
            "metadata": { "annotations": { "nautes.terraform/token-hash": "0a" } },
            "container": { "volumeMounts": [{ "name": "certs", "mountPath": "/etc/ssl/certs" }] },
            "volumes": [{ "name": "certs", "configMap": { "name": "ca-certificates" } }],
        },
        "gitlab": { "repo-7": { "events": ["PushEvents"], "gitlabBaseURL": "https://gitlab.example.com" } },
    });
    change(&mut spec);
    let rest = json!({ "spec": spec });
    object(
        "argoproj.io/v1alpha1",
        "EventSource",
        "product-42-ci-gitlab",
        &rest,
    )
}

fn sensor(change: impl FnOnce(&mut Value)) -> Value {
    let mut spec = json!({
        "template": { "serviceAccountName": "product-42-ci" },
        "dependencies": [{ "name": "es-a", "eventSourceName": "product-42-ci-gitlab", "eventName": "repo-7" }],
        "triggers": [{
            "template": {
                "name": "a-build", "conditions": "es-a",
                "k8s": { "operation": "create", "source": { "resource": {
                    "apiVersion": "tekton.dev/v1", "kind": "PipelineRun",
                    "metadata": { "generateName": "hooks-", "namespace": "shop-test" },
                } } },
            },
            "atLeastOnce": true,
            "retryStrategy": { "steps": 5 },
        }],
    });
    change(&mut spec);
    let rest = json!({ "spec": spec });
    object("argoproj.io/v1alpha1", "Sensor", "product-42-ci", &rest)
}

fn ingress(change: impl FnOnce(&mut Value)) -> Value {
    let mut ingress = object(
        "networking.k8s.io/v1",
        "Ingress",
        "product-42-ci-gitlab",
        &json!({ "spec": { "ingressClassName": "traefik", "rules": [{
            "host": "webhook.deploy-01.example.com",
            "http": { "paths": [{
                "path": "/product-42-ci/repo-7", "pathType": "Exact",
                "backend": { "service": {
                    "name": "product-42-ci-gitlab-eventsource-svc", "port": { "number": 12000 },
                } },
            }] },
        }] } }),
    );
    change(&mut ingress);
    ingress
}

fn config_map(name: &str) -> Value {
    object("v1", "ConfigMap", name, &json!({ "data": { "a": "b" } }))
}

fn secret(name: &str, kind: &str) -> Value {
    let rest = json!({
        "type": kind,
        "stringData": { "token": STANDARD.encode("token") },
    });
    let mut secret = object("v1", "Secret", name, &rest);
    secret["metadata"]["annotations"] = json!({ "kubernetes.io/service-account.name": "shop" });
    secret
}

fn lease(name: &str) -> Value {
    object(
        "coordination.k8s.io/v1",
        "Lease",
        name,
        &json!({ "spec": { "holderIdentity": "a" } }),
    )
}

/// What runtimes do, kind by kind.
#[expect(clippy::too_many_lines, reason = "a table of calls")]
fn needed() -> Vec<Call> {
    let test = "/api/v1/namespaces/shop-test";
    let pipeline_role = json!({ "rules": [{
        "apiGroups": ["tekton.dev"], "resources": ["pipelineruns"], "verbs": ["create"],
    }] });
    vec![
        create(
            "an account",
            format!("{test}/serviceaccounts"),
            service_account("shop"),
        ),
        create(
            "the members",
            format!("{RBAC}/namespaces/shop-test/rolebindings"),
            role_binding("members", &cluster_role("admin"), &group("platform/demo")),
        ),
        create(
            "the rights of an account",
            format!("{RBAC}/namespaces/shop-test/rolebindings"),
            role_binding(
                "shop",
                &cluster_role("admin"),
                &account("shop-test", "shop"),
            ),
        ),
        create(
            "the role of a sensor",
            format!("{RBAC}/namespaces/shop-test/roles"),
            object(
                "rbac.authorization.k8s.io/v1",
                "Role",
                "product-42-ci",
                &pipeline_role,
            ),
        ),
        create(
            "the rights of a sensor",
            format!("{RBAC}/namespaces/shop-test/rolebindings"),
            role_binding(
                "product-42-ci",
                &json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "product-42-ci" }),
                &account("argo-events", "product-42-ci"),
            ),
        ),
        create(
            "a store",
            format!("{ESO}/namespaces/shop-test/secretstores"),
            secret_store("nautes-shop", "shop", None),
        ),
        create(
            "a credential of a pipeline",
            format!("{ESO}/namespaces/shop-test/externalsecrets"),
            object(
                "external-secrets.io/v1",
                "ExternalSecret",
                "ci-deploy",
                &json!({ "spec": {
                "refreshInterval": "5m",
                "secretStoreRef": { "kind": "SecretStore", "name": "nautes-shop" },
                "target": { "name": "ci-deploy", "creationPolicy": "Owner", "template": {
                    "type": "kubernetes.io/ssh-auth", "data": { "ssh-privatekey": "{{ .deploykey }}" },
                } },
                "data": [{ "secretKey": "deploykey", "remoteRef": { "key": "gitlab/repo-7/default/readwrite" } }],
            } }),
            ),
        ),
        create(
            "Argo CD's account",
            "/api/v1/namespaces/argocd/serviceaccounts",
            service_account("nautes-product-42"),
        ),
        create(
            "Argo CD's store",
            format!("{ESO}/namespaces/argocd/secretstores"),
            secret_store("nautes-product-42", "nautes-product-42", None),
        ),
        create(
            "Argo CD's credential",
            format!("{ESO}/namespaces/argocd/externalsecrets"),
            repository_credential(|_| ()),
        ),
        create(
            "a project",
            format!("{ARGO}/namespaces/argocd/appprojects"),
            project(|_| ()),
        ),
        create(
            "an application",
            format!("{ARGO}/namespaces/argocd/applications"),
            application(|_| ()),
        ),
        create(
            "a sensor's account",
            "/api/v1/namespaces/argo-events/serviceaccounts",
            service_account("product-42-ci"),
        ),
        create(
            "an event source",
            format!("{ARGO}/namespaces/argo-events/eventsources"),
            event_source(|_| ()),
        ),
        create(
            "a sensor",
            format!("{ARGO}/namespaces/argo-events/sensors"),
            sensor(|_| ()),
        ),
        create(
            "an ingress",
            "/apis/networking.k8s.io/v1/namespaces/argo-events/ingresses",
            ingress(|_| ()),
        ),
        create(
            "a token of a webhook",
            "/api/v1/namespaces/argo-events/secrets",
            secret("product-42-ci-repo-7-secret-token", "Opaque"),
        ),
        create(
            "a registry",
            "/api/v1/namespaces/nautes/configmaps",
            config_map("nautes-tf-product-42"),
        ),
        create(
            "a lock",
            "/apis/coordination.k8s.io/v1/namespaces/nautes/leases",
            lease("nautes-tf-product-42"),
        ),
        call(
            "the facts",
            Method::GET,
            "/api/v1/namespaces/nautes/configmaps/nautes-cluster-facts",
            Value::Null,
        ),
        call(
            "state of Argo CD",
            Method::GET,
            "/apis/apps/v1/namespaces/argocd/statefulsets",
            Value::Null,
        ),
        call(
            "state of pods",
            Method::GET,
            "/api/v1/namespaces/argo-events/pods",
            Value::Null,
        ),
        call(
            "all namespaces",
            Method::GET,
            "/api/v1/namespaces",
            Value::Null,
        ),
        call(
            "the end of an application",
            Method::DELETE,
            format!("{ARGO}/namespaces/argocd/applications/product-42-shop-test"),
            Value::Null,
        ),
        call(
            "the end of an account",
            Method::DELETE,
            format!("{test}/serviceaccounts/shop"),
            Value::Null,
        ),
        call("the end of a namespace", Method::DELETE, test, Value::Null),
    ]
}

/// Writes that RBAC allows, or would allow to an account with more rights, and the policy refuses.
#[expect(clippy::too_many_lines, reason = "a table of calls")]
fn refused_by_policy(worker: &Worker) -> anyhow::Result<Vec<Call>> {
    let control_plane = worker.control_plane();
    let get =
        |path: &str| -> anyhow::Result<Value> { Ok(control_plane.get(path)?.unwrap_or_default()) };
    let relabelled = |name: &str, product: Option<&str>| -> anyhow::Result<Value> {
        let mut namespace = get(&format!("/api/v1/namespaces/{name}"))?;
        namespace["metadata"]["labels"][LABEL] = json!(product);
        if product.is_none()
            && let Some(labels) = namespace["metadata"]["labels"].as_object_mut()
        {
            labels.remove(LABEL);
        }
        Ok(namespace)
    };
    let namespaces = "/api/v1/namespaces";
    let bindings = |namespace: &str| format!("{RBAC}/namespaces/{namespace}/rolebindings");
    let own = account("nautes", "nautes-runtime");
    let mut calls = vec![
        // Namespaces.
        call(
            "to take kube-system",
            Method::PUT,
            format!("{namespaces}/kube-system"),
            relabelled("kube-system", Some("product-42"))?,
        ),
        call(
            "to take nautes",
            Method::PUT,
            format!("{namespaces}/nautes"),
            relabelled("nautes", Some("product-42"))?,
        ),
        call(
            "to take vault",
            Method::PUT,
            format!("{namespaces}/vault"),
            relabelled("vault", Some("product-42"))?,
        ),
        call(
            "to take argocd",
            Method::PUT,
            format!("{namespaces}/argocd"),
            relabelled("argocd", Some("product-42"))?,
        ),
        call(
            "to take a namespace without label",
            Method::PUT,
            format!("{namespaces}/payments"),
            relabelled("payments", Some("product-42"))?,
        ),
        call(
            "to move a namespace to another product",
            Method::PUT,
            format!("{namespaces}/shop-test"),
            relabelled("shop-test", Some("product-43"))?,
        ),
        call(
            "to strip the label",
            Method::PUT,
            format!("{namespaces}/shop-test"),
            relabelled("shop-test", None)?,
        ),
        call(
            "to delete a namespace without label",
            Method::DELETE,
            format!("{namespaces}/payments"),
            Value::Null,
        ),
        create(
            "a namespace without label",
            namespaces,
            namespace("free", None),
        ),
        create(
            "a namespace with a label that is no product's",
            namespaces,
            namespace("free", Some("x")),
        ),
        create(
            "a namespace of a component",
            namespaces,
            namespace("tekton-pipelines", Some("product-42")),
        ),
        create(
            "a namespace of the system",
            namespaces,
            namespace("kube-mine", Some("product-42")),
        ),
        call(
            "to finalize a namespace",
            Method::PUT,
            format!("{namespaces}/shop-test/finalize"),
            relabelled("shop-test", Some("product-42"))?,
        ),
        // Namespaces without label.
        create(
            "an account in kube-system",
            format!("{namespaces}/kube-system/serviceaccounts"),
            service_account("x"),
        ),
        create(
            "an account in nautes",
            format!("{namespaces}/nautes/serviceaccounts"),
            service_account("x"),
        ),
        create(
            "an account in payments",
            format!("{namespaces}/payments/serviceaccounts"),
            service_account("x"),
        ),
        create(
            "admin of kube-system",
            bindings("kube-system"),
            role_binding("x", &cluster_role("admin"), &own),
        ),
        create(
            "admin of nautes",
            bindings("nautes"),
            role_binding("x", &cluster_role("admin"), &own),
        ),
        create(
            "admin of argocd",
            bindings("argocd"),
            role_binding("x", &cluster_role("admin"), &group("a")),
        ),
        create(
            "admin of payments",
            bindings("payments"),
            role_binding("x", &cluster_role("admin"), &group("a")),
        ),
        call(
            "to delete all accounts of payments",
            Method::DELETE,
            format!("{namespaces}/payments/serviceaccounts/default"),
            Value::Null,
        ),
        // Rights.
        create(
            "cluster-admin in a product",
            bindings("shop-test"),
            role_binding("x", &cluster_role("cluster-admin"), &group("a")),
        ),
        create(
            "edit in a product",
            bindings("shop-test"),
            role_binding("x", &cluster_role("edit"), &group("a")),
        ),
        create(
            "admin for itself",
            bindings("shop-test"),
            role_binding("x", &cluster_role("admin"), &own),
        ),
        create(
            "admin for an account elsewhere",
            bindings("shop-test"),
            role_binding("x", &cluster_role("admin"), &account("payments", "default")),
        ),
        create(
            "admin for everybody",
            bindings("shop-test"),
            role_binding("x", &cluster_role("admin"), &group("system:authenticated")),
        ),
        create(
            "admin for a user",
            bindings("shop-test"),
            role_binding(
                "x",
                &cluster_role("admin"),
                &json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "system:anonymous" }),
            ),
        ),
        create(
            "a role with other rights",
            format!("{RBAC}/namespaces/shop-test/roles"),
            object(
                "rbac.authorization.k8s.io/v1",
                "Role",
                "x",
                &json!({ "rules": [{
                "apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["create"],
            }] }),
            ),
        ),
        // Own objects of the provider.
        call(
            "to change the facts",
            Method::PUT,
            format!("{namespaces}/nautes/configmaps/nautes-cluster-facts"),
            get("/api/v1/namespaces/nautes/configmaps/nautes-cluster-facts")?,
        ),
        call(
            "to delete an inventory",
            Method::DELETE,
            format!("{namespaces}/nautes/configmaps/nautes-cluster"),
            Value::Null,
        ),
        create(
            "a ConfigMap with a generated name",
            format!("{namespaces}/nautes/configmaps"),
            json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "generateName": "nautes-cluster-" },
            }),
        ),
        create(
            "another lease",
            "/apis/coordination.k8s.io/v1/namespaces/nautes/leases",
            lease("other"),
        ),
    ];
    calls.extend(refused_secrets());
    calls.extend(refused_in_argo_cd());
    calls.extend(refused_in_argo_events());
    let rbac_cm = "/api/v1/namespaces/argocd/configmaps/argocd-rbac-cm";
    for (what, key, value) in [
        (
            "to rewrite Argo CD's rights",
            "policy.csv",
            "g, me, role:admin",
        ),
        (
            "the default role of Argo CD",
            "policy.default",
            "role:admin",
        ),
        (
            "an administrator of Argo CD",
            "policy.nautes-product-42.csv",
            "g, me, role:admin",
        ),
        (
            "rights in other projects",
            "policy.nautes-product-42.csv",
            "p, role:nautes-product-42, applications, *, */*, allow",
        ),
        (
            "rights to clusters",
            "policy.nautes-product-42.csv",
            "p, role:nautes-product-42, clusters, *, product-42/*, allow",
        ),
    ] {
        let mut config_map = get(rbac_cm)?;
        config_map["data"][key] = json!(value);
        calls.push(call(what, Method::PUT, rbac_cm, config_map));
    }
    Ok(calls)
}

#[expect(clippy::too_many_lines, reason = "a table of calls")]
fn refused_secrets() -> Vec<Call> {
    let stores = |namespace: &str| format!("{ESO}/namespaces/{namespace}/secretstores");
    let secrets = |namespace: &str| format!("{ESO}/namespaces/{namespace}/externalsecrets");
    let kubernetes = json!({ "kubernetes": {
        "remoteNamespace": "kube-system",
        "auth": { "serviceAccount": { "name": "argocd-application-controller" } },
    } });
    let auth = |store: &mut Value, auth: Value| store["auth"] = auth;
    vec![
        create(
            "a store that reads the cluster",
            stores("argocd"),
            secret_store("nautes-product-42", "x", Some(&kubernetes)),
        ),
        create(
            "a store that reads the cluster, in a product",
            stores("shop-test"),
            secret_store("x", "x", Some(&kubernetes)),
        ),
        create(
            "a store with Argo CD's own account",
            stores("argocd"),
            secret_store("nautes-product-42", "argocd-server", None),
        ),
        create(
            "a store with a token for the API server",
            stores("shop-test"),
            changed_store(|vault| {
                vault["auth"]["kubernetes"]["serviceAccountRef"]["audiences"] = json!([IN_CLUSTER]);
            }),
        ),
        create(
            "a store with a token for any audience",
            stores("shop-test"),
            changed_store(|vault| {
                vault["auth"]["kubernetes"]["serviceAccountRef"] = json!({ "name": "shop" });
            }),
        ),
        create(
            "a store that sends a Secret away",
            stores("argocd"),
            changed_store(|vault| {
                auth(
                    vault,
                    json!({ "tokenSecretRef": { "name": "argocd-secret", "key": "server.secretkey" } }),
                );
            }),
        ),
        create(
            "a store that sends a token to another server",
            stores("shop-test"),
            changed_store(|vault| {
                vault["server"] = json!("https://vault.example.com.evil.example");
            }),
        ),
        create(
            "a store in another namespace of Vault",
            stores("shop-test"),
            changed_store(|vault| vault["namespace"] = json!("other")),
        ),
        create(
            "a store of another cluster",
            stores("shop-test"),
            changed_store(|vault| vault["auth"]["kubernetes"]["mountPath"] = json!("other")),
        ),
        create(
            "an external secret of a cluster-wide store",
            secrets("shop-test"),
            repository_credential(|spec| {
                spec["secretStoreRef"]["kind"] = json!("ClusterSecretStore");
            }),
        ),
        create(
            "an external secret of a generator",
            secrets("shop-test"),
            repository_credential(|spec| {
                spec["dataFrom"] = json!([{ "sourceRef": { "generatorRef": { "apiVersion": "generators.external-secrets.io/v1alpha1", "kind": "Password", "name": "x" } } }]);
            }),
        ),
        create(
            "an external secret with a token of an account",
            secrets("shop-test"),
            repository_credential(|spec| {
                spec["target"]["template"]["type"] = json!("kubernetes.io/service-account-token");
            }),
        ),
        create(
            "an external secret over Argo CD's own",
            secrets("argocd"),
            repository_credential(|spec| spec["target"]["name"] = json!("argocd-secret")),
        ),
        create(
            "an external secret that adds to others",
            secrets("argocd"),
            repository_credential(|spec| spec["target"]["creationPolicy"] = json!("Merge")),
        ),
        create(
            "an external secret from a foreign path",
            secrets("argocd"),
            repository_credential(|spec| {
                spec["data"][0]["remoteRef"]["key"] = json!("kubernetes/deploy-01/default/admin");
            }),
        ),
        create(
            "a credential for every project",
            secrets("argocd"),
            repository_credential(|spec| spec["target"]["template"]["data"]["project"] = json!("")),
        ),
        create(
            "a credential of a cluster",
            secrets("argocd"),
            repository_credential(|spec| {
                spec["target"]["template"]["metadata"]["labels"]["argocd.argoproj.io/secret-type"] =
                    json!("cluster");
            }),
        ),
        create(
            "labels from a template",
            secrets("argocd"),
            repository_credential(|spec| {
                spec["target"]["template"]["templateFrom"] =
                    json!([{ "target": "Labels", "literal": "a: b" }]);
            }),
        ),
        create("an external secret of another name", secrets("argocd"), {
            let mut credential =
                repository_credential(|spec| spec["target"]["name"] = json!("repo"));
            credential["metadata"]["name"] = json!("repo");
            credential
        }),
    ]
}

fn refused_in_argo_cd() -> Vec<Call> {
    let projects = format!("{ARGO}/namespaces/argocd/appprojects");
    let applications = format!("{ARGO}/namespaces/argocd/applications");
    let destination = |namespace: &str| json!([{ "server": IN_CLUSTER, "namespace": namespace }]);
    let mut calls = vec![
        create(
            "a Secret in argocd",
            "/api/v1/namespaces/argocd/secrets",
            secret("nautes-product-42", "Opaque"),
        ),
        create(
            "an account of Argo CD",
            "/api/v1/namespaces/argocd/serviceaccounts",
            service_account("mine"),
        ),
        create("a pod in argocd", "/api/v1/namespaces/argocd/pods", pod()),
        create(
            "an application in the default project",
            &*applications,
            application(|spec| spec["project"] = json!("default")),
        ),
        create(
            "an application of another project",
            &*applications,
            application(|spec| spec["project"] = json!("product-43")),
        ),
        create(
            "an application elsewhere",
            &*applications,
            application(|spec| spec["destination"]["server"] = json!("https://10.0.0.1")),
        ),
        create(
            "an application in a cluster by name",
            &*applications,
            application(|spec| {
                spec["destination"] = json!({ "name": "in-cluster", "namespace": "shop-test" });
            }),
        ),
        create("the default project", &*projects, {
            let mut project = project(|_| ());
            project["metadata"]["name"] = json!("default");
            project
        }),
        create(
            "a project of all repositories",
            &*projects,
            project(|spec| spec["sourceRepos"] = json!(["*"])),
        ),
        create(
            "a project of all kinds",
            &*projects,
            project(|spec| {
                spec["clusterResourceWhitelist"] = json!([{ "group": "*", "kind": "*" }]);
            }),
        ),
        create(
            "a project with cluster roles",
            &*projects,
            project(|spec| {
                spec["clusterResourceWhitelist"] =
                    json!([{ "group": "rbac.authorization.k8s.io", "kind": "ClusterRoleBinding" }]);
            }),
        ),
        create(
            "a project with roles",
            &*projects,
            project(|spec| spec["roles"] = json!([{ "name": "x", "groups": ["me"] }])),
        ),
        create(
            "a project with an account",
            &*projects,
            project(|spec| {
                spec["destinationServiceAccounts"] = json!([{ "server": IN_CLUSTER, "namespace": "shop-test", "defaultServiceAccount": "a" }]);
            }),
        ),
        create(
            "a project on all servers",
            &*projects,
            project(|spec| {
                spec["destinations"] = json!([{ "server": "*", "namespace": "shop-test" }]);
            }),
        ),
    ];
    for namespace in [
        "*",
        "shop-*",
        "kube-system",
        "nautes",
        "argocd",
        "vault",
        "default",
        "payments",
    ] {
        let body = project(|spec| spec["destinations"] = destination(namespace));
        calls.push(create(
            "a project with a destination elsewhere",
            &*projects,
            body,
        ));
    }
    calls
}

fn pod() -> Value {
    object(
        "v1",
        "Pod",
        "x",
        &json!({ "spec": {
        "containers": [{ "name": "a", "image": "a" }],
        "serviceAccountName": "default",
        "volumes": [{ "name": "host", "hostPath": { "path": "/" } }],
    } }),
    )
}

#[expect(clippy::too_many_lines, reason = "a table of calls")]
fn refused_in_argo_events() -> Vec<Call> {
    let sources = format!("{ARGO}/namespaces/argo-events/eventsources");
    let sensors = format!("{ARGO}/namespaces/argo-events/sensors");
    let ingresses = "/apis/networking.k8s.io/v1/namespaces/argo-events/ingresses";
    let secrets = "/api/v1/namespaces/argo-events/secrets";
    let trigger = |spec: &mut Value, pointer: &str, value: Value| {
        if let Some(found) = spec.pointer_mut(&format!("/triggers/0/template{pointer}")) {
            *found = value;
        }
    };
    vec![
        create(
            "a pod in argo-events",
            "/api/v1/namespaces/argo-events/pods",
            pod(),
        ),
        create(
            "an event source with an account",
            &*sources,
            event_source(|spec| spec["template"]["serviceAccountName"] = json!("argo-events-sa")),
        ),
        create(
            "an event source on the node",
            &*sources,
            event_source(|spec| {
                spec["template"]["volumes"] = json!([{ "name": "a", "hostPath": { "path": "/" } }]);
            }),
        ),
        create(
            "an event source with a command",
            &*sources,
            event_source(|spec| spec["template"]["container"]["command"] = json!(["sh"])),
        ),
        create(
            "an event source with an image of its own",
            &*sources,
            event_source(|spec| spec["template"]["container"]["image"] = json!("a")),
        ),
        create(
            "an event source that reads the cluster",
            &*sources,
            event_source(|spec| spec["resource"] = json!({ "a": { "namespace": "kube-system" } })),
        ),
        create(
            "a sensor with the controller's account",
            &*sensors,
            sensor(|spec| spec["template"]["serviceAccountName"] = json!("argo-events-sa")),
        ),
        create(
            "a sensor without account",
            &*sensors,
            sensor(|spec| spec["template"] = json!({})),
        ),
        create(
            "a sensor with a container of its own",
            &*sensors,
            sensor(|spec| spec["template"]["container"] = json!({ "image": "a" })),
        ),
        create(
            "a sensor that deletes",
            &*sensors,
            sensor(|spec| trigger(spec, "/k8s/operation", json!("delete"))),
        ),
        create(
            "a sensor that makes pods",
            &*sensors,
            sensor(|spec| {
                trigger(
                    spec,
                    "/k8s/source/resource",
                    json!({ "apiVersion": "v1", "kind": "Pod" }),
                );
            }),
        ),
        create(
            "a sensor that fetches what it makes",
            &*sensors,
            sensor(|spec| {
                trigger(
                    spec,
                    "/k8s/source",
                    json!({ "url": { "path": "https://example.com" } }),
                );
            }),
        ),
        create(
            "an ingress of another host",
            ingresses,
            ingress(|ingress| ingress["spec"]["rules"][0]["host"] = json!("argocd.example.com")),
        ),
        create(
            "an ingress to another service",
            ingresses,
            ingress(|ingress| {
                ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] =
                    json!("eventbus-default-js-svc");
            }),
        ),
        create(
            "an ingress with a snippet",
            ingresses,
            ingress(|ingress| {
                ingress["metadata"]["annotations"] =
                    json!({ "nginx.ingress.kubernetes.io/configuration-snippet": "x" });
            }),
        ),
        create(
            "a Secret of others",
            secrets,
            secret("eventbus-default-server", "Opaque"),
        ),
        create(
            "a token of an account",
            secrets,
            secret("product-42-x", "kubernetes.io/service-account-token"),
        ),
        create(
            "an account of others",
            "/api/v1/namespaces/argo-events/serviceaccounts",
            service_account("mine"),
        ),
    ]
}

/// What RBAC refuses.
fn refused_by_rbac() -> Vec<Call> {
    let policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
    let get = |what, path: &str| call(what, Method::GET, path, Value::Null);
    let delete = |what, path: &str| call(what, Method::DELETE, path, Value::Null);
    vec![
        get(
            "to read a Secret of Argo CD",
            "/api/v1/namespaces/argocd/secrets/argocd-secret",
        ),
        get(
            "to list Secrets of Argo CD",
            "/api/v1/namespaces/argocd/secrets",
        ),
        get(
            "to read the provider's token",
            "/api/v1/namespaces/nautes/secrets/terraform-provider-nautes-token",
        ),
        get(
            "to read the reviewer's token",
            "/api/v1/namespaces/vault/secrets/vault-auth-token",
        ),
        get("to list all Secrets", "/api/v1/secrets"),
        get(
            "to read Secrets of a product",
            "/api/v1/namespaces/shop-test/secrets",
        ),
        get(
            "to list Secrets of Argo Events",
            "/api/v1/namespaces/argo-events/secrets",
        ),
        create(
            "a token of the provider's account",
            "/api/v1/namespaces/nautes/serviceaccounts/terraform-provider-nautes/token",
            json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} }),
        ),
        create(
            "a token of itself",
            "/api/v1/namespaces/nautes/serviceaccounts/nautes-runtime/token",
            json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} }),
        ),
        create(
            "a ClusterRole",
            format!("{RBAC}/clusterroles"),
            object(
                "rbac.authorization.k8s.io/v1",
                "ClusterRole",
                "x",
                &json!({ "rules": [] }),
            ),
        ),
        create(
            "a ClusterRoleBinding",
            format!("{RBAC}/clusterrolebindings"),
            object(
                "rbac.authorization.k8s.io/v1",
                "ClusterRoleBinding",
                "x",
                &json!({
                    "roleRef": cluster_role("cluster-admin"), "subjects": [account("nautes", "nautes-runtime")],
                }),
            ),
        ),
        delete(
            "to delete its own limits",
            &format!("{policies}/nautes-runtime"),
        ),
        delete(
            "to unbind its own limits",
            "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/nautes-runtime",
        ),
        create(
            "another policy",
            policies,
            object(
                "admissionregistration.k8s.io/v1",
                "ValidatingAdmissionPolicy",
                "x",
                &json!({ "spec": {} }),
            ),
        ),
        delete(
            "to delete many",
            "/api/v1/namespaces/shop-test/serviceaccounts",
        ),
        create(
            "a pod in a product",
            "/api/v1/namespaces/shop-test/pods",
            pod(),
        ),
        create(
            "a debugger in a pod",
            "/api/v1/namespaces/argo-events/pods/x/exec?command=sh",
            Value::Null,
        ),
        get(
            "a service of the system",
            "/api/v1/namespaces/kube-system/services/x/proxy/",
        ),
    ]
}

#[test]
fn the_credential_of_runtimes_may_do_what_they_need() -> Case {
    let worker = Worker::start()?;
    worker.make_product()?;
    for needed in needed() {
        worker.assert_allowed(&needed)?;
    }
    // With server-side apply, one key of a shared ConfigMap.
    let rbac_cm = "/api/v1/namespaces/argocd/configmaps/argocd-rbac-cm";
    let mut config_map = worker.control_plane().get(rbac_cm)?.unwrap_or_default();
    config_map["data"]["policy.nautes-product-43.csv"] = json!(
        "p, role:nautes-product-43, projects, get, product-43, allow\np, role:nautes-product-43, applications, *, product-43/*, allow\ng, platform/demo, role:nautes-product-43\n"
    );
    let patch = json!({ "data": config_map["data"] }).to_string();
    let kubectl = [
        "patch",
        "configmap",
        "-n",
        "argocd",
        "argocd-rbac-cm",
        "--type=merge",
    ];
    let arguments = [&kubectl[..], &["--as", RUNTIME, "-p", &patch]].concat();
    worker.control_plane().kubectl(arguments)?;
    assert_rights_are_those_used(&worker)
}

/// Compares the list of rights, from which roles and documentation are made, with what the API server has allowed.
fn assert_rights_are_those_used(worker: &Worker) -> Case {
    let places = [
        (Scope::ArgoCd, "argocd"),
        (Scope::ArgoEvents, "argo-events"),
        (Scope::Own, "nautes"),
    ];
    let mut used = BTreeSet::new();
    for event in worker.control_plane().audit_events()? {
        let allowed = event
            .response_status
            .is_some_and(|status| status.code < 400);
        let user = event.impersonated_user.unwrap_or(event.user);
        let Some(object) = event
            .object_ref
            .filter(|_| allowed && user.username == RUNTIME)
        else {
            continue;
        };
        let resource = match object.subresource.as_str() {
            "" => object.resource.clone(),
            subresource => format!("{}/{subresource}", object.resource),
        };
        let grants = |right: &&Right| {
            let namespace = places.iter().find(|(place, _)| *place == right.place);
            let is_here = namespace.is_none_or(|(_, namespace)| object.namespace == *namespace);
            is_here
                && right.group == object.api_group
                && right.resource == resource
                && right.verbs.contains(&event.verb.as_str())
        };
        let right = RIGHTS.iter().find(grants);
        let right = right.ok_or_else(|| {
            anyhow::anyhow!(
                "{} {resource} in {:?} is in no list",
                event.verb,
                object.namespace
            )
        })?;
        used.insert((right.place, right.group, right.resource));
    }
    // What is held to be given on, and what has nothing to answer here.
    let unused = [
        "clusterroles",
        "pipelineruns",
        "hierarchyconfigurations",
        "pods/log",
        "services/proxy",
    ];
    let written = RIGHTS
        .iter()
        .filter(|right| right.writes() && !unused.contains(&right.resource));
    for right in written {
        let key = (right.place, right.group, right.resource);
        assert!(used.contains(&key), "no test uses {right:?}");
    }
    Ok(())
}

#[test]
fn the_api_server_refuses_to_runtimes_whatever_gives_them_more_rights() -> Case {
    let worker = Worker::start()?;
    worker.make_product()?;
    let mut failures = Vec::new();
    for refused in refused_by_rbac().iter().chain(&refused_by_policy(&worker)?) {
        failures.extend(worker.refusal(refused).err().map(|error| error.to_string()));
    }

    // The policy is no smaller than RBAC: with all rights it still refuses.
    let all = object(
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
        "all-rights",
        &json!({ "roleRef": cluster_role("cluster-admin"), "subjects": [account("nautes", "nautes-runtime")] }),
    );
    let bindings = format!("{RBAC}/clusterrolebindings");
    worker
        .control_plane()
        .api(Method::POST, &bindings, Some(&all))?;
    let all_secrets = call("all Secrets", Method::GET, "/api/v1/secrets", Value::Null);
    while worker.call(&all_secrets).is_err() {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    for refused in &refused_by_policy(&worker)? {
        match worker.refusal(refused) {
            Ok(text) if text.contains("ValidatingAdmissionPolicy") => {}
            Ok(text) => failures.push(format!("{}: {text}", refused.what)),
            Err(error) => failures.push(format!("with all rights: {error}")),
        }
    }
    for (what, path) in [
        ("a pod in a product", "/api/v1/namespaces/shop-test/pods"),
        (
            "a ClusterRole",
            "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        ),
        (
            "a token",
            "/api/v1/namespaces/nautes/serviceaccounts/terraform-provider-nautes/token",
        ),
        (
            "many deletions",
            "/api/v1/namespaces/payments/serviceaccounts",
        ),
    ] {
        let body = match what {
            "a pod in a product" => pod(),
            "a token" => {
                json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} })
            }
            "many deletions" => Value::Null,
            _ => object(
                "rbac.authorization.k8s.io/v1",
                "ClusterRole",
                "x",
                &json!({ "rules": [] }),
            ),
        };
        let method = if body.is_null() {
            Method::DELETE
        } else {
            Method::POST
        };
        let refused = call("with all rights", method, path, body);
        match worker.refusal(&refused) {
            Ok(text) if text.contains("ValidatingAdmissionPolicy") => {}
            other => failures.push(format!("{what}: {other:?}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

//! The admission policies for the account of runtimes.
//!
//! They are a second fence behind RBAC, and look at nothing but requests of this account. What is not allowed here is
//! refused, also kinds, versions and sub-resources that no rule mentions. An expression that fails refuses, too.
//!
//! The API server exempts a few kinds from admission policies: the policies themselves, and reviews of tokens and
//! rights. RBAC grants none of them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::objects::RuntimeAccess;
use super::rights::{RIGHTS, Scope};
use crate::clusters::names::{NAMESPACE, PRODUCT_LABEL, REGISTRY_PREFIX};
use crate::clusters::token_account::RUNTIME_ACCOUNT;
use crate::components::Component;

/// The name of the policy and of its binding.
pub(crate) const POLICY: &str = "nautes-runtime";

/// The name of the policy that compares destinations with namespaces, and of its binding.
const DESTINATIONS: &str = "nautes-runtime-destinations";

/// The API server, as Argo CD names the cluster in which it runs.
const IN_CLUSTER: &str = "https://kubernetes.default.svc";

/// A cluster-scoped resource that products may create.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct AllowedResource {
    pub(crate) group: String,
    pub(crate) kind: String,
    /// The name, in which `*` stands for any characters; empty for all.
    pub(crate) name: String,
}

/// A condition that a request must meet.
struct Rule {
    message: &'static str,
    expression: String,
}

/// Returns the policies with their bindings.
pub(super) fn policies(access: &RuntimeAccess) -> Vec<Value> {
    let binding = |name: &str, params: Option<Value>| {
        let mut spec = json!({ "policyName": name, "validationActions": ["Deny", "Audit"] });
        if let (Some(params), Some(spec)) = (params, spec.as_object_mut()) {
            spec.insert("paramRef".to_owned(), params);
        }
        object("ValidatingAdmissionPolicyBinding", name, &spec)
    };
    // Each namespace without the label is a parameter of its own.
    let foreign_namespaces = json!({
        "selector": { "matchExpressions": [{ "key": PRODUCT_LABEL, "operator": "DoesNotExist" }] },
        "parameterNotFoundAction": "Deny",
    });
    vec![
        object("ValidatingAdmissionPolicy", POLICY, &main_policy(access)),
        object(
            "ValidatingAdmissionPolicy",
            DESTINATIONS,
            &destinations(access),
        ),
        binding(POLICY, None),
        binding(DESTINATIONS, Some(foreign_namespaces)),
    ]
}

fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": { "name": name },
        "spec": spec,
    })
}

fn match_conditions() -> Value {
    let user = quoted(&RUNTIME_ACCOUNT.user());
    json!([{ "name": "nautes-runtime", "expression": format!("request.userInfo.username == {user}") }])
}

fn main_policy(access: &RuntimeAccess) -> Value {
    let rules = rules(access).into_iter();
    let validations: Vec<Value> = rules
        .map(|rule| {
            json!({ "expression": rule.expression, "message": rule.message, "reason": "Forbidden" })
        })
        .collect();
    json!({
        "failurePolicy": "Fail",
        "matchConstraints": { "resourceRules": [{
            "apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"],
        }] },
        "matchConditions": match_conditions(),
        "variables": variables(),
        "validations": validations,
    })
}

fn variables() -> Value {
    let label = quoted(PRODUCT_LABEL);
    let product = |object: &str| {
        format!(
            "has({object}.metadata.labels) && {label} in {object}.metadata.labels ? {object}.metadata.labels[{label}] : ''"
        )
    };
    let variable =
        |name: &str, expression: String| json!({ "name": name, "expression": expression });
    json!([
        variable(
            "kind",
            "request.resource.group + '/' + request.resource.version + '/' + request.resource.resource".to_owned(),
        ),
        variable(
            "place",
            "has(request.namespace) ? request.namespace : ''".to_owned(),
        ),
        variable("subresource", "has(request.subResource) ? request.subResource : ''".to_owned()),
        variable("writes", "request.operation in ['CREATE', 'UPDATE']".to_owned()),
        variable(
            "name",
            "request.operation == 'CONNECT' ? request.name : (request.operation == 'DELETE' ? oldObject.metadata.name : object.metadata.name)"
                .to_owned(),
        ),
        variable("product", format!("variables.writes ? ({}) : ''", product("object"))),
        variable(
            "oldProduct",
            format!("request.operation in ['UPDATE', 'DELETE'] ? ({}) : ''", product("oldObject")),
        ),
        variable(
            "namespaceProduct",
            format!("variables.place == '' || variables.kind == '/v1/namespaces' ? '' : ({})", product("namespaceObject")),
        ),
    ])
}

/// Returns the kinds that may be written at a place, as the variable `kind` names them.
fn kinds(place: Scope, without: &[&str]) -> String {
    let rights = RIGHTS
        .iter()
        .filter(|right| right.place == place && right.writes());
    let kinds = rights.filter(|right| !without.contains(&right.resource));
    let kinds = kinds.map(|right| {
        let resource = right.resource.split('/').next().unwrap_or_default();
        format!("{}/{}/{resource}", right.group, right.version)
    });
    list(kinds)
}

fn list(texts: impl IntoIterator<Item = String>) -> String {
    let texts: BTreeSet<String> = texts.into_iter().map(|text| quoted(&text)).collect();
    let texts: Vec<String> = texts.into_iter().collect();
    format!("[{}]", texts.join(", "))
}

/// Quotes a text for an expression.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A condition on objects of one kind that are created or changed.
fn on_write(kind: &str, condition: &str) -> String {
    format!(
        "!(variables.writes && variables.kind == {}) || ({condition})",
        quoted(kind)
    )
}

/// The namespaces that are never those of a product.
fn system_namespaces(access: &RuntimeAccess) -> String {
    let components = Component::ALL
        .into_iter()
        .map(|component| component.namespace().to_owned());
    let others = ["default", NAMESPACE, "vault", access.argo_cd.as_str()].map(str::to_owned);
    list(components.chain(others))
}

fn rules(access: &RuntimeAccess) -> Vec<Rule> {
    let mut rules = vec![
        place_rule(access),
        Rule {
            message: "sub-resources are not written by runtimes",
            expression: "variables.kind == '/v1/services' ? (request.operation == 'CONNECT' && variables.subresource == 'proxy' && variables.name.startsWith('product-')) : (request.operation != 'CONNECT' && variables.subresource == '')".to_owned(),
        },
    ];
    rules.extend(namespace_rules(access));
    rules.extend(permission_rules());
    rules.extend(secret_rules(access));
    rules.extend(argo_cd_rules(access));
    rules.extend(argo_events_rules());
    rules.push(Rule {
        message: "in this namespace runtimes write only what is called nautes-tf-*",
        expression: format!(
            "variables.kind == '/v1/namespaces' || variables.place != {} || variables.name.startsWith({})",
            quoted(NAMESPACE),
            quoted(REGISTRY_PREFIX)
        ),
    });
    rules
}

fn place_rule(access: &RuntimeAccess) -> Rule {
    let place = |place: Scope, extra: &[&str]| {
        let namespace = quoted(access.namespace(place).unwrap_or_default());
        let mut kinds = kinds(place, &[]);
        for extra in extra {
            kinds = format!("{} + [{}]", kinds, quoted(extra));
        }
        format!("(variables.place == {namespace} && variables.kind in {kinds})")
    };
    let own = place(Scope::Own, &[]);
    let argo_events = place(Scope::ArgoEvents, &["/v1/serviceaccounts"]);
    let argo_cd = place(
        Scope::ArgoCd,
        &[
            "/v1/serviceaccounts",
            "external-secrets.io/v1/secretstores",
            "external-secrets.io/v1/externalsecrets",
        ],
    );
    let system = system_namespaces(access);
    // The right to create pipeline runs is held to be given on, and namespaces are a case of their own.
    let products = kinds(
        Scope::Cluster,
        &["pipelineruns", "namespaces", "clusterroles"],
    );
    let products = format!(
        "(variables.namespaceProduct != '' && !(variables.place in {system}) && variables.kind in {products})"
    );
    Rule {
        message: "runtimes do not write objects of this kind in this namespace",
        expression: format!(
            "variables.kind == '/v1/namespaces' || {own} || {argo_cd} || {argo_events} || {products}"
        ),
    }
}

fn namespace_rules(access: &RuntimeAccess) -> Vec<Rule> {
    let system = system_namespaces(access);
    let kept = |one: &str, other: &str| {
        format!(
            "(!has({one}.metadata.labels) || {one}.metadata.labels.all(key, !key.startsWith('pod-security.kubernetes.io/') || (has({other}.metadata.labels) && key in {other}.metadata.labels && {other}.metadata.labels[key] == {one}.metadata.labels[key])))"
        )
    };
    vec![
        Rule {
            message: "a namespace must have the label resource.nautes.io/belongsto of a product before and after, and keep it",
            expression: "variables.kind != '/v1/namespaces' || (request.operation == 'CREATE' ? variables.product.matches('^product-[0-9]+$') : (variables.oldProduct.matches('^product-[0-9]+$') && (request.operation == 'DELETE' || variables.product == variables.oldProduct)))".to_owned(),
        },
        Rule {
            message: "this namespace is not one of a product",
            expression: format!(
                "variables.kind != '/v1/namespaces' || (!(variables.name in {system}) && !variables.name.startsWith('kube-'))"
            ),
        },
        Rule {
            message: "the labels of Pod Security are kept",
            expression: format!(
                "variables.kind != '/v1/namespaces' || request.operation != 'UPDATE' || ({} && {})",
                kept("object", "oldObject"),
                kept("oldObject", "object")
            ),
        },
    ]
}

fn permission_rules() -> Vec<Rule> {
    vec![
        Rule {
            message: "a RoleBinding of a product refers to the ClusterRole admin, or to a Role",
            expression: on_write(
                "rbac.authorization.k8s.io/v1/rolebindings",
                "object.roleRef.kind == 'Role' || object.roleRef.name == 'admin'",
            ),
        },
        Rule {
            message: "the subjects of a RoleBinding are groups outside of the cluster, and service accounts of its own namespace or of sensors",
            expression: on_write(
                "rbac.authorization.k8s.io/v1/rolebindings",
                &format!(
                    "!has(object.subjects) || object.subjects.all(subject, subject.kind == 'Group' ? !subject.name.startsWith('system:') : (subject.kind == 'ServiceAccount' && (subject.namespace == variables.place || (object.roleRef.kind == 'Role' && subject.namespace == {} && subject.name.startsWith('product-')))))",
                    quoted(Component::ArgoEvents.namespace())
                ),
            ),
        },
        Rule {
            message: "a Role of a product allows creating pipeline runs and nothing else",
            expression: on_write(
                "rbac.authorization.k8s.io/v1/roles",
                "!has(object.rules) || object.rules.all(rule, has(rule.apiGroups) && rule.apiGroups == ['tekton.dev'] && has(rule.resources) && rule.resources == ['pipelineruns'] && rule.verbs == ['create'])",
            ),
        },
        Rule {
            message: "the parent of a product's namespace is the namespace of the product",
            expression: on_write(
                "hnc.x-k8s.io/v1alpha2/hierarchyconfigurations",
                "!has(object.spec.parent) || object.spec.parent == variables.namespaceProduct",
            ),
        },
    ]
}

/// Rules about what External Secrets reads, and into what it writes.
fn secret_rules(access: &RuntimeAccess) -> Vec<Rule> {
    let stores = "external-secrets.io/v1/secretstores";
    let secrets = "external-secrets.io/v1/externalsecrets";
    let in_argo_cd = format!("variables.place == {}", quoted(&access.argo_cd));
    let keys = |map: &str, keys: &[&str]| {
        format!(
            "{map}.all(key, key in {})",
            list(keys.iter().map(|key| (*key).to_owned()))
        )
    };
    let vault = "object.spec.provider.vault";
    let vault_namespace = match &access.vault_namespace {
        Some(namespace) => format!(
            "has({vault}.namespace) && {vault}.namespace == {}",
            quoted(namespace)
        ),
        None => format!("!has({vault}.namespace)"),
    };
    vec![
        // Another server would get tokens that are worth something at this one.
        Rule {
            message: "a SecretStore reads from the Vault of this cluster, by the provider argument vault.cluster_address",
            expression: on_write(
                stores,
                &format!(
                    "has({vault}) && {vault}.server == {} && ({vault_namespace})",
                    quoted(&access.vault_address)
                ),
            ),
        },
        Rule {
            message: "a SecretStore logs in to Vault with a service account, for the audience vault",
            expression: on_write(
                stores,
                &[
                    keys("object.spec", &["provider"]),
                    keys("object.spec.provider", &["vault"]),
                    keys(vault, &["server", "path", "version", "namespace", "caBundle", "auth"]),
                    keys(&format!("{vault}.auth"), &["kubernetes"]),
                    keys(&format!("{vault}.auth.kubernetes"), &["mountPath", "role", "serviceAccountRef"]),
                    format!("{vault}.auth.kubernetes.mountPath == {}", quoted(&access.auth_mount)),
                    keys(&format!("{vault}.auth.kubernetes.serviceAccountRef"), &["name", "audiences"]),
                    format!("has({vault}.auth.kubernetes.serviceAccountRef.audiences)"),
                    format!("{vault}.auth.kubernetes.serviceAccountRef.audiences == ['vault']"),
                    format!("(!({in_argo_cd}) || {vault}.auth.kubernetes.serviceAccountRef.name.startsWith('nautes-product-'))"),
                ]
                .join(" && "),
            ),
        },
        Rule {
            message: "an ExternalSecret takes keys of a SecretStore of its namespace",
            expression: on_write(
                secrets,
                &[
                    keys("object.spec", &["refreshInterval", "refreshPolicy", "secretStoreRef", "target", "data"]),
                    "(!has(object.spec.secretStoreRef.kind) || object.spec.secretStoreRef.kind == 'SecretStore')".to_owned(),
                    "(!has(object.spec.data) || object.spec.data.all(item, !has(item.sourceRef)))".to_owned(),
                ]
                .join(" && "),
            ),
        },
        Rule {
            message: "an ExternalSecret makes a Secret that belongs to it, and no token of a service account",
            expression: on_write(
                secrets,
                &[
                    "has(object.spec.target)".to_owned(),
                    keys("object.spec.target", &["name", "creationPolicy", "deletionPolicy", "immutable", "template"]),
                    "(!has(object.spec.target.name) || object.spec.target.name == object.metadata.name)".to_owned(),
                    "(!has(object.spec.target.creationPolicy) || object.spec.target.creationPolicy == 'Owner')".to_owned(),
                    format!(
                        "(!has(object.spec.target.template) || ({} && (!has(object.spec.target.template.type) || object.spec.target.template.type in ['Opaque', 'kubernetes.io/ssh-auth', 'kubernetes.io/dockerconfigjson'])))",
                        keys("object.spec.target.template", &["type", "engineVersion", "mergePolicy", "metadata", "data"])
                    ),
                ]
                .join(" && "),
            ),
        },
        Rule {
            message: "in the namespace of Argo CD an ExternalSecret is the credential of a product's repository",
            expression: on_write(
                secrets,
                &format!(
                    "!({in_argo_cd}) || ({})",
                    [
                        "object.spec.secretStoreRef.name.startsWith('nautes-product-')".to_owned(),
                        "object.spec.data.all(item, item.remoteRef.key.matches('^gitlab/repo-[0-9]+/default/readonly$'))".to_owned(),
                        "object.spec.target.template.metadata.labels['argocd.argoproj.io/secret-type'] == 'repository'".to_owned(),
                        keys("object.spec.target.template.data", &["type", "name", "url", "project", "sshPrivateKey"]),
                        "object.spec.target.template.data.type == 'git'".to_owned(),
                        "object.spec.target.template.data.project.matches('^product-[0-9]+$')".to_owned(),
                        "!object.spec.target.template.data.url.contains('{{')".to_owned(),
                    ]
                    .join(" && ")
                ),
            ),
        },
        Rule {
            message: "runtimes write no tokens of service accounts",
            expression: on_write("/v1/secrets", "object.type == 'Opaque'"),
        },
    ]
}

fn argo_cd_rules(access: &RuntimeAccess) -> Vec<Rule> {
    let namespace = quoted(&access.argo_cd);
    let resources = access.cluster_resources.iter();
    let resources = list(
        resources.map(|resource| format!("{}/{}/{}", resource.group, resource.kind, resource.name)),
    );
    let not_here = format!("variables.kind == '/v1/namespaces' || variables.place != {namespace}");
    vec![
        Rule {
            message: "in the namespace of Argo CD runtimes write only what is called after a product",
            expression: format!(
                "{not_here} || (variables.kind == '/v1/configmaps' ? (variables.name == 'argocd-rbac-cm' && request.operation == 'UPDATE') : (variables.kind == 'argoproj.io/v1alpha1/appprojects' ? variables.name.matches('^product-[0-9]+$') : (variables.kind == 'argoproj.io/v1alpha1/applications' ? variables.name.startsWith('product-') : variables.name.startsWith('nautes-product-'))))"
            ),
        },
        Rule {
            message: "an Application is in the project of its product, and deploys to this cluster",
            expression: on_write(
                "argoproj.io/v1alpha1/applications",
                &format!(
                    "object.spec.project.matches('^product-[0-9]+$') && object.metadata.name.startsWith(object.spec.project + '-') && object.spec.destination.all(key, key in ['server', 'namespace']) && object.spec.destination.server == {}",
                    quoted(IN_CLUSTER)
                ),
            ),
        },
        Rule {
            message: "the destinations of an AppProject are namespaces of this cluster, by their names",
            expression: on_write(
                "argoproj.io/v1alpha1/appprojects",
                &format!(
                    "!has(object.spec.destinations) || object.spec.destinations.all(to, to.all(key, key in ['server', 'namespace']) && to.server == {} && to.namespace.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))",
                    quoted(IN_CLUSTER)
                ),
            ),
        },
        Rule {
            message: "the repositories of an AppProject are named without wildcards",
            expression: on_write(
                "argoproj.io/v1alpha1/appprojects",
                "!has(object.spec.sourceRepos) || object.spec.sourceRepos.all(url, !url.matches('[*?!{}]') && !url.contains('['))",
            ),
        },
        Rule {
            message: "an AppProject allows the cluster-scoped resources that product_allowed_cluster_resources of the cluster lists",
            expression: on_write(
                "argoproj.io/v1alpha1/appprojects",
                &format!(
                    "!has(object.spec.clusterResourceWhitelist) || object.spec.clusterResourceWhitelist.all(resource, (resource.group + '/' + resource.kind + '/' + (has(resource.name) ? resource.name : '')) in {resources})"
                ),
            ),
        },
        Rule {
            message: "an AppProject has no roles, no other accounts and no other namespaces of Applications",
            expression: on_write(
                "argoproj.io/v1alpha1/appprojects",
                "object.spec.all(key, key in ['description', 'destinations', 'sourceRepos', 'clusterResourceWhitelist', 'namespaceResourceWhitelist', 'namespaceResourceBlacklist', 'clusterResourceBlacklist', 'orphanedResources', 'syncWindows'])",
            ),
        },
        Rule {
            message: "in argocd-rbac-cm runtimes write the keys of products alone",
            expression: on_write(
                "/v1/configmaps",
                &format!(
                    "variables.place != {namespace} || (has(object.data) && object.data.all(key, key.matches('^policy\\\\.nautes-product-[0-9]+\\\\.csv$') || (has(oldObject.data) && key in oldObject.data && oldObject.data[key] == object.data[key])) && (!has(oldObject.data) || oldObject.data.all(key, key.matches('^policy\\\\.nautes-product-[0-9]+\\\\.csv$') || key in object.data)))"
                ),
            ),
        },
        Rule {
            message: "in argocd-rbac-cm a product gives rights in its own project to its own role",
            expression: on_write(
                "/v1/configmaps",
                &format!(
                    "variables.place != {namespace} || (has(object.data) && object.data.all(key, !key.matches('^policy\\\\.nautes-product-[0-9]+\\\\.csv$') || object.data[key].split('\\n').all(line, line == '' || line.matches('^p, role:nautes-product-[0-9]+, (projects|applications|exec|logs), (get|\\\\*), product-[0-9]+(/\\\\*)?, allow$') || line.matches('^g, [^,\"]+, role:nautes-product-[0-9]+$'))))"
                ),
            ),
        },
    ]
}

fn argo_events_rules() -> Vec<Rule> {
    let namespace = quoted(Component::ArgoEvents.namespace());
    let not_here = format!("variables.kind == '/v1/namespaces' || variables.place != {namespace}");
    vec![
        Rule {
            message: "in the namespace of Argo Events runtimes write only what is called after a product",
            expression: format!("{not_here} || variables.name.startsWith('product-')"),
        },
        Rule {
            message: "an EventSource listens to GitLab or a calendar, and mounts ConfigMaps alone",
            expression: on_write(
                "argoproj.io/v1alpha1/eventsources",
                "object.spec.all(key, key in ['eventBusName', 'gitlab', 'calendar', 'service', 'replicas', 'template']) && (!has(object.spec.template) || (object.spec.template.all(key, key in ['metadata', 'container', 'volumes']) && (!has(object.spec.template.container) || object.spec.template.container.all(key, key == 'volumeMounts')) && (!has(object.spec.template.volumes) || object.spec.template.volumes.all(volume, volume.all(key, key in ['name', 'configMap'])))))",
            ),
        },
        Rule {
            message: "a Sensor runs as an account of its product and creates pipeline runs",
            expression: on_write(
                "argoproj.io/v1alpha1/sensors",
                "object.spec.all(key, key in ['eventBusName', 'template', 'dependencies', 'triggers', 'replicas', 'revisionHistoryLimit', 'errorOnFailedRound', 'loggingFields']) && has(object.spec.template) && object.spec.template.all(key, key in ['metadata', 'serviceAccountName']) && has(object.spec.template.serviceAccountName) && object.spec.template.serviceAccountName.startsWith('product-') && object.spec.triggers.all(trigger, trigger.template.all(key, key in ['name', 'conditions', 'conditionsReset', 'k8s']) && trigger.template.k8s.operation == 'create' && trigger.template.k8s.source.all(key, key == 'resource') && trigger.template.k8s.source.resource.kind == 'PipelineRun' && trigger.template.k8s.source.resource.apiVersion.startsWith('tekton.dev/'))",
            ),
        },
        Rule {
            message: "an Ingress leads from the host of webhooks to an EventSource of its product",
            expression: on_write(
                "networking.k8s.io/v1/ingresses",
                "!has(object.spec.defaultBackend) && has(object.spec.rules) && object.spec.rules.all(rule, has(rule.host) && rule.host.startsWith('webhook.') && rule.http.paths.all(path, path.path.startsWith('/product-') && path.backend.service.name.startsWith('product-'))) && (!has(object.metadata.annotations) || object.metadata.annotations.all(key, key.startsWith('nautes.terraform/')))",
            ),
        },
    ]
}

/// Returns the policy that refuses an `AppProject` whose destination is a namespace without the label.
fn destinations(access: &RuntimeAccess) -> Value {
    let reserved = list(access.reserved_namespaces.iter().cloned());
    json!({
        "failurePolicy": "Fail",
        "paramKind": { "apiVersion": "v1", "kind": "Namespace" },
        "matchConstraints": { "resourceRules": [{
            "apiGroups": ["argoproj.io"],
            "apiVersions": ["*"],
            "operations": ["CREATE", "UPDATE"],
            "resources": ["appprojects"],
        }] },
        "matchConditions": match_conditions(),
        "validations": [{
            "expression": format!(
                "!has(object.spec.destinations) || object.spec.destinations.all(to, to.namespace != params.metadata.name || to.namespace in {reserved})"
            ),
            "message": "a destination of an AppProject is a namespace that belongs to no product",
            "reason": "Forbidden",
        }],
    })
}

//! What a product has in Argo CD: its project, the credentials of its repositories, and the rights of its members.
//!
//! Argo CD does not keep the credentials of one project from another one. What a product may deploy is limited by its
//! project alone, so that names its repositories and namespaces exactly.

use std::collections::{BTreeMap, BTreeSet};

use kubernetes_apply::object::ObjectError;
use nautes_model::RepositoryId;
use nautes_model::vault::{DEPLOY_KEY, GIT_MOUNT, GitSecret, SecretPath};
use serde_json::{Map, Value, json};

use super::SharedContext;
use crate::clusters::PRODUCT_LABEL;
use crate::runtime::external_secret::{ExternalSecret, RemoteValue, SecretStore, SecretTemplate};
use crate::runtime::names;
use crate::runtime::registry::Contribution;

/// The API server, as Argo CD names the cluster in which it runs.
pub(crate) const IN_CLUSTER: &str = "https://kubernetes.default.svc";

/// The rights of a product's members in Argo CD: a key of a `ConfigMap` that others have keys in, too.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ArgoCdPolicy {
    pub(crate) key: String,
    pub(crate) text: String,
}

/// Returns the objects in the order in which they are created.
pub(super) fn objects(
    contributions: &[&Contribution],
    context: &SharedContext,
) -> Result<Vec<Value>, ObjectError> {
    let repositories: BTreeMap<RepositoryId, &str> = contributions
        .iter()
        .flat_map(|contribution| &contribution.repos)
        .map(|(id, url)| (*id, url.as_str()))
        .collect();
    let mut objects = Vec::new();
    if !repositories.is_empty() {
        objects.extend(store(context)?);
    }
    for (id, url) in repositories {
        objects.push(credential(id, url, context)?);
    }
    if has_applications(contributions) {
        objects.push(project(contributions, context));
    }
    Ok(objects)
}

/// Returns the rights of the product's members.
pub(super) fn policy(
    contributions: &[&Contribution],
    context: &SharedContext,
) -> Option<ArgoCdPolicy> {
    if !has_applications(contributions) {
        return None;
    }
    let SharedContext {
        product, members, ..
    } = context;
    let role = names::argo_cd_role(*product);
    let text = format!(
        "p, {role}, projects, get, {product}, allow\n\
         p, {role}, applications, *, {product}/*, allow\n\
         p, {role}, exec, *, {product}/*, allow\n\
         p, {role}, logs, *, {product}/*, allow\n\
         g, {members}, {role}\n"
    );
    Some(ArgoCdPolicy {
        key: names::argo_cd_policy_key(*product),
        text,
    })
}

/// Whether there are Applications. A product without them has nothing to look at in Argo CD.
fn has_applications(contributions: &[&Contribution]) -> bool {
    let mut contributions = contributions.iter();
    contributions.any(|contribution| !contribution.apps.is_empty())
}

/// Returns the account and the store with which the credentials of repositories are read.
fn store(context: &SharedContext) -> Result<[Value; 2], ObjectError> {
    let name = names::repository_store(context.product);
    let account = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": { "namespace": context.argo_cd, "name": name },
        "automountServiceAccountToken": false,
    });
    let store = SecretStore {
        vault: &context.vault,
        namespace: &context.argo_cd,
        name: &name,
        mount: GIT_MOUNT,
        role: &names::repository_role(context.product),
        service_account: &name,
    };
    Ok([account, store.object()?.into_json()])
}

/// Returns the credential of a repository, which Argo CD knows by its label.
fn credential(
    repository: RepositoryId,
    url: &str,
    context: &SharedContext,
) -> Result<Value, ObjectError> {
    let product = context.product.to_string();
    let name = names::repository_credential(context.product, repository);
    let path = SecretPath::for_repository(repository, GitSecret::ReadonlyKey);
    let labels = [
        ("argocd.argoproj.io/secret-type", "repository".to_owned()),
        (PRODUCT_LABEL, product.clone()),
    ];
    let data = [
        ("type", "git".to_owned()),
        ("name", repository.to_string()),
        ("url", url.to_owned()),
        ("project", product),
        ("sshPrivateKey", format!("{{{{ .{DEPLOY_KEY} }}}}")),
    ];
    let secret = ExternalSecret {
        namespace: &context.argo_cd,
        name: &name,
        store: &names::repository_store(context.product),
        values: vec![RemoteValue {
            name: DEPLOY_KEY,
            path: path.path(),
            field: Some(DEPLOY_KEY),
        }],
        template: SecretTemplate {
            labels: labels.into(),
            data: data.into(),
            ..SecretTemplate::default()
        },
    };
    Ok(secret.object()?.into_json())
}

fn project(contributions: &[&Contribution], context: &SharedContext) -> Value {
    let product = context.product.to_string();
    let mut namespaces: BTreeSet<&str> = BTreeSet::from([product.as_str()]);
    let mut repositories: BTreeSet<&str> = BTreeSet::new();
    for contribution in contributions {
        namespaces.extend(contribution.spaces.iter().map(String::as_str));
        repositories.extend(contribution.repos.values().map(String::as_str));
    }
    namespaces.extend(context.reserved_namespaces.iter().map(String::as_str));
    let destinations = namespaces.iter();
    let destinations: Vec<Value> = destinations
        .map(|namespace| json!({ "server": IN_CLUSTER, "namespace": namespace }))
        .collect();
    let mut spec = Map::from_iter([
        ("sourceRepos".to_owned(), json!(repositories)),
        ("destinations".to_owned(), destinations.into()),
    ]);
    if !context.cluster_resources.is_empty() {
        let allowed = json!(context.cluster_resources);
        spec.insert("clusterResourceWhitelist".to_owned(), allowed);
    }
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": { "namespace": context.argo_cd, "name": product },
        "spec": spec,
    })
}

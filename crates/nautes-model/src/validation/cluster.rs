//! Rules for clusters, and for runtimes on their clusters.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::field::FieldPath;
use super::problem::Problem;
use super::single_entity::{Finding, check_name};
use super::violation::{Rule, Violation};
use crate::entity::{Cluster, ClusterUsage, Component, ComponentSlot, Entity, WorkerType};
use crate::entity_name::EntityName;
use crate::kind::{EntityKey, Kind};
use crate::name::NameRule;
use crate::tree::ManifestTree;

/// The effective part of the pattern for `spec.apiServer` in the resource definition
/// (`api/kubernetes/v1alpha1/cluster_types.go`), with the scheme that Nautes requires
/// (`internal/service/cluster.go`).
static API_SERVER: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the pattern is constant and a test uses it"
    )]
    Regex::new(r"^https?://(?:www\.)?[-a-zA-Z0-9@:%._+~#=]{1,256}\.[a-zA-Z0-9()]{1,6}\b")
        .expect("the pattern is a regular expression")
});

/// Checks a single cluster (`ValidateCluster` in `biz/cluster.go`).
pub(super) fn check_single(cluster: &Cluster, tenant: Option<&str>, found: &mut BTreeSet<Finding>) {
    check_name(NameRule::Cluster, &cluster.name, found);
    if tenant == Some(cluster.name.as_str()) {
        let problem = Problem::NameCollision {
            name: cluster.name.to_string(),
            owner: "the tenant",
        };
        found.insert((FieldPath::new("name"), problem));
    }
    if !API_SERVER.is_match(&cluster.api_server) {
        let problem = Problem::ApiServer {
            address: cluster.api_server.clone(),
        };
        found.insert((FieldPath::new("api_server"), problem));
    }
    for slot in ComponentSlot::required_for(&cluster.shape) {
        if !cluster.components.contains_key(slot) {
            found.insert((slot_field(*slot), Problem::MissingComponent));
        }
    }
    for (slot, component) in &cluster.components {
        check_settings(*slot, component, found);
    }
    let namespaces = cluster.component_namespaces();
    for namespace in cluster.reserved_namespaces_allowed_products.keys() {
        if !namespaces.contains(namespace.as_str()) {
            let field =
                FieldPath::new("reserved_namespaces_allowed_products").key(namespace.as_str());
            found.insert((
                field,
                Problem::NotReserved {
                    namespace: namespace.clone(),
                },
            ));
        }
    }
    for (product, resources) in &cluster.product_allowed_cluster_resources {
        if resources
            .iter()
            .any(|resource| resource.kind.is_empty() || resource.group.is_empty())
        {
            let field = FieldPath::new("product_allowed_cluster_resources").key(product.as_str());
            found.insert((field, Problem::IncompleteClusterResource));
        }
    }
}

/// Checks the settings that a component requires (`config/apps/base/third_part_components.yaml`).
fn check_settings(slot: ComponentSlot, component: &Component, found: &mut BTreeSet<Finding>) {
    let mut check = |setting, attribute, is_valid: fn(&str) -> bool, form| {
        if !component
            .additions
            .get(setting)
            .is_some_and(|value| is_valid(value))
        {
            let component = component.name.clone();
            let problem = Problem::ComponentSetting {
                component,
                setting,
                form,
            };
            found.insert((slot_field(slot).attribute(attribute), problem));
        }
    };
    match component.name.as_str() {
        "argocd" | "tekton" => check("host", "host", is_host, "a host name"),
        "traefik" => {
            check("httpNodePort", "http_node_port", is_number, "a number");
            check("httpsNodePort", "https_node_port", is_number, "a number");
        }
        _ => {}
    }
}

fn is_host(text: &str) -> bool {
    text.split('.').all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn slot_field(slot: ComponentSlot) -> FieldPath {
    FieldPath::new("components").attribute(slot.attribute())
}

/// Checks the tenant's repository: the host of a virtual cluster is a host, and every cluster that
/// a product uses exists.
pub(super) fn check_tenant(
    tree: &ManifestTree,
    products: &[&ManifestTree],
    found: &mut BTreeSet<Violation>,
) {
    for cluster in tree.clusters() {
        let Some(host) = cluster.shape.host_cluster() else {
            continue;
        };
        let is_host = find(tree, host).is_none_or(|host| host.shape.usage() == ClusterUsage::Host);
        if !is_host {
            let rule = Rule::NotAHost { host: host.clone() };
            found.insert(Violation::new(key(&cluster.name), rule));
        }
    }
    for product in products {
        for environment in product.environments() {
            let cluster = key(&environment.cluster);
            if !tree.contains(&cluster) {
                let rule = Rule::ClusterInUse {
                    product: environment.product,
                    environment: environment.name.clone(),
                };
                found.insert(Violation::new(cluster, rule));
            }
        }
    }
}

/// Checks the runtimes of a product against their clusters.
pub(super) fn check_runtimes(
    tree: &ManifestTree,
    clusters: &ManifestTree,
    found: &mut BTreeSet<Violation>,
) {
    for entity in tree.entities() {
        let (environment, worker_type, namespaces) = match entity {
            Entity::PipelineRuntime(runtime) => (
                &runtime.destination.environment,
                WorkerType::Pipeline,
                vec![runtime.effective_namespace()],
            ),
            Entity::DeploymentRuntime(runtime) => (
                &runtime.destination.environment,
                WorkerType::Deployment,
                runtime.effective_namespaces(),
            ),
            _ => continue,
        };
        let Some(cluster) =
            cluster_of(tree, environment).and_then(|cluster| find(clusters, cluster))
        else {
            continue;
        };
        let name = &cluster.name;
        let mut report = |rule| found.insert(Violation::new(entity.key(), rule));
        if cluster.shape.worker_type() != Some(worker_type) {
            report(Rule::WrongWorkerType {
                cluster: name.clone(),
                expected: worker_type,
            });
        } else if worker_type == WorkerType::Pipeline
            && !cluster.components.contains_key(&ComponentSlot::Pipeline)
        {
            report(Rule::NoPipelineComponent {
                cluster: name.clone(),
            });
        }
        let reserved = cluster.component_namespaces();
        for namespace in namespaces {
            if reserved.contains(namespace) {
                let namespace = namespace.to_owned();
                report(Rule::ReservedNamespace {
                    cluster: name.clone(),
                    namespace,
                });
            }
        }
    }
}

/// Returns the cluster of an environment.
pub(super) fn cluster_of<'a>(
    tree: &'a ManifestTree,
    environment: &EntityName,
) -> Option<&'a EntityName> {
    match tree.get(&EntityKey::new(Kind::Environment, environment.clone()))? {
        Entity::Environment(environment) => Some(&environment.cluster),
        _ => None,
    }
}

fn find<'a>(clusters: &'a ManifestTree, name: &EntityName) -> Option<&'a Cluster> {
    match clusters.get(&key(name))? {
        Entity::Cluster(cluster) => Some(cluster),
        _ => None,
    }
}

fn key(name: &EntityName) -> EntityKey {
    EntityKey::new(Kind::Cluster, name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_server_is_validated_like_in_kubernetes() {
        for address in [
            "https://10.1.2.3:6443",
            "http://k8s.example.com",
            "https://a.b/c",
        ] {
            assert!(API_SERVER.is_match(address), "{address}");
        }
        for address in [
            "https://k8s:6443",
            "https://my.cluster.internal:6443",
            "10.1.2.3:6443",
            "https://",
        ] {
            assert!(!API_SERVER.is_match(address), "{address}");
        }
    }
}

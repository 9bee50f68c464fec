//! What two environments or two runtimes may not share.
//!
//! Each pair is one violation, whose subject is the later of the two in sort order.

use std::collections::{BTreeMap, BTreeSet};

use super::cluster::cluster_of;
use super::violation::{OtherRuntime, Rule, Violation};
use crate::entity::{DeploymentRuntime, Entity, PipelineRuntime};
use crate::entity_name::EntityName;
use crate::id::ProductId;
use crate::kind::{EntityKey, Kind};
use crate::tree::ManifestTree;

/// Checks that no two environments of a product use the same cluster (`biz/environment.go`).
pub(super) fn check_environments(tree: &ManifestTree, found: &mut BTreeSet<Violation>) {
    let uses = tree.environments().map(|environment| {
        (
            environment.cluster.clone(),
            EntityKey::new(Kind::Environment, environment.name.clone()),
        )
    });
    pairs(uses, |cluster, with, key| {
        let rule = Rule::ClusterShared {
            cluster: cluster.clone(),
            with: with.clone(),
        };
        found.insert(Violation::new(key.clone(), rule));
    });
}

/// Checks that no two runtimes of a product deploy the same folder into the same environment, or
/// run the same pipeline file in the same namespace (`deploymentruntime_webhook.go`,
/// `projectpipelineruntime_webhook.go`, `Compare`).
pub(super) fn check_sources(tree: &ManifestTree, found: &mut BTreeSet<Violation>) {
    let deployments = tree.deployment_runtimes().map(|runtime| {
        let usage = (&runtime.manifest_source, &runtime.destination.environment);
        (usage, deployment_key(runtime))
    });
    pairs(deployments, |(source, _), with, key| {
        let rule = Rule::SourceShared {
            with: with.clone(),
            path: source.path.clone(),
        };
        found.insert(Violation::new(key.clone(), rule));
    });
    let pipelines = tree.pipeline_runtimes().flat_map(|runtime| {
        let destination = &runtime.destination;
        let paths: BTreeSet<&str> = runtime
            .pipelines
            .values()
            .map(|pipeline| pipeline.path.as_str())
            .collect();
        paths.into_iter().map(move |path| {
            let namespace = destination.namespace.as_deref().unwrap_or_default();
            let usage = (
                runtime.pipeline_source,
                &destination.environment,
                namespace,
                path,
            );
            (usage, pipeline_key(runtime))
        })
    });
    pairs(pipelines, |(_, _, _, path), with, key| {
        let rule = Rule::SourceShared {
            with: with.clone(),
            path: (*path).to_owned(),
        };
        found.insert(Violation::new(key.clone(), rule));
    });
}

/// A runtime that occupies a namespace or a name on a cluster.
#[derive(Clone)]
struct Occupant {
    product: ProductId,
    key: EntityKey,
    /// Whether it belongs to the product that is checked.
    own: bool,
}

impl Occupant {
    fn as_other(&self) -> OtherRuntime {
        OtherRuntime {
            product: (!self.own).then_some(self.product),
            key: self.key.clone(),
        }
    }
}

/// Checks that a namespace on a cluster belongs to one product, and that the namespace of a
/// pipeline runtime belongs to no other runtime (`global_webhook.go`, `GetUsedNamespaces`;
/// `deploymentruntime_webhook.go`).
pub(super) fn check_namespaces(
    tree: &ManifestTree,
    others: &[&ManifestTree],
    found: &mut BTreeSet<Violation>,
) {
    let mut occupants: BTreeMap<(EntityName, String), Vec<Occupant>> = BTreeMap::new();
    for_each_runtime(tree, others, |cluster, occupant, entity| {
        let namespaces = match entity {
            Entity::PipelineRuntime(runtime) => vec![runtime.effective_namespace()],
            Entity::DeploymentRuntime(runtime) => runtime.effective_namespaces(),
            _ => Vec::new(),
        };
        for namespace in namespaces.into_iter().collect::<BTreeSet<_>>() {
            occupants
                .entry((cluster.clone(), namespace.to_owned()))
                .or_default()
                .push(occupant.clone());
        }
    });
    let deploys = |occupant: &Occupant| occupant.key.kind == Kind::DeploymentRuntime;
    for ((cluster, namespace), occupants) in occupants {
        own_pairs(&occupants, |with, occupant| {
            let may_share = deploys(with) && deploys(occupant) && with.product == occupant.product;
            if !may_share {
                let rule = Rule::NamespaceShared {
                    cluster: cluster.clone(),
                    namespace: namespace.clone(),
                    with: with.as_other(),
                };
                found.insert(Violation::new(occupant.key.clone(), rule));
            }
        });
    }
}

/// Checks that no two products have runtimes of the same name on the same cluster, where Argo CD
/// applications are named after the runtime only (`argocd.go` of runtime-operator).
pub(super) fn check_applications(
    tree: &ManifestTree,
    others: &[&ManifestTree],
    found: &mut BTreeSet<Violation>,
) {
    let mut occupants: BTreeMap<(EntityName, EntityName), Vec<Occupant>> = BTreeMap::new();
    for_each_runtime(tree, others, |cluster, occupant, _| {
        occupants
            .entry((cluster.clone(), occupant.key.name.clone()))
            .or_default()
            .push(occupant);
    });
    for ((cluster, _), occupants) in occupants {
        own_pairs(&occupants, |with, occupant| {
            if with.product != occupant.product {
                let rule = Rule::ApplicationShared {
                    cluster: cluster.clone(),
                    with: with.as_other(),
                };
                found.insert(Violation::new(occupant.key.clone(), rule));
            }
        });
    }
}

/// Visits the runtimes whose cluster is known, those of other products first.
fn for_each_runtime(
    tree: &ManifestTree,
    others: &[&ManifestTree],
    mut visit: impl FnMut(&EntityName, Occupant, &Entity),
) {
    let trees = others
        .iter()
        .map(|other| (*other, false))
        .chain([(tree, true)]);
    for (tree, own) in trees {
        let Some(product) = tree.product() else {
            continue;
        };
        for entity in tree.entities() {
            let environment = match entity {
                Entity::PipelineRuntime(runtime) => &runtime.destination.environment,
                Entity::DeploymentRuntime(runtime) => &runtime.destination.environment,
                _ => continue,
            };
            if let Some(cluster) = cluster_of(tree, environment) {
                visit(
                    cluster,
                    Occupant {
                        product,
                        key: entity.key(),
                        own,
                    },
                    entity,
                );
            }
        }
    }
}

/// Visits each pair whose second member belongs to the product that is checked.
fn own_pairs(occupants: &[Occupant], mut visit: impl FnMut(&Occupant, &Occupant)) {
    for (position, occupant) in occupants.iter().enumerate() {
        if occupant.own {
            occupants
                .iter()
                .take(position)
                .for_each(|with| visit(with, occupant));
        }
    }
}

/// Visits each pair of entities with the same usage.
fn pairs<U: Ord>(
    usages: impl Iterator<Item = (U, EntityKey)>,
    mut visit: impl FnMut(&U, &EntityKey, &EntityKey),
) {
    let mut keys_by_usage: BTreeMap<U, BTreeSet<EntityKey>> = BTreeMap::new();
    for (usage, key) in usages {
        keys_by_usage.entry(usage).or_default().insert(key);
    }
    for (usage, keys) in &keys_by_usage {
        for (position, key) in keys.iter().enumerate() {
            keys.iter()
                .take(position)
                .for_each(|with| visit(usage, with, key));
        }
    }
}

fn deployment_key(runtime: &DeploymentRuntime) -> EntityKey {
    EntityKey::new(Kind::DeploymentRuntime, runtime.name.clone())
}

fn pipeline_key(runtime: &PipelineRuntime) -> EntityKey {
    EntityKey::new(Kind::PipelineRuntime, runtime.name.clone())
}

//! What two environments or two runtimes may not share.
//!
//! Each pair is one violation, of the one that sorts later.

use std::collections::{BTreeMap, BTreeSet};

use super::cluster::cluster_of;
use super::violation::{OtherRuntime, Rule, Violation};
use crate::entity::{DeploymentRuntime, Entity, PipelineRuntime};
use crate::entity_name::EntityName;
use crate::id::ProductId;
use crate::kind::{EntityKey, Kind};
use crate::tree::ManifestTree;

/// Two environments of a product may not use one cluster (`biz/environment.go`).
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

/// Two runtimes of a product may not do the same work in the same place: deploy one folder into
/// one environment, or run one pipeline file in one namespace (`deploymentruntime_webhook.go`,
/// `projectpipelineruntime_webhook.go`, `Compare`).
pub(super) fn check_sources(tree: &ManifestTree, found: &mut BTreeSet<Violation>) {
    let deployments = tree.deployment_runtimes().map(|runtime| {
        let place = (&runtime.manifest_source, &runtime.destination.environment);
        (place, deployment_key(runtime))
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
            let place = (
                runtime.pipeline_source,
                &destination.environment,
                namespace,
                path,
            );
            (place, pipeline_key(runtime))
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

/// A runtime that takes a place on a cluster.
#[derive(Clone)]
struct Taker {
    product: ProductId,
    key: EntityKey,
    /// Whether it is in the repository that is checked, and not in another product's.
    own: bool,
}

impl Taker {
    fn as_other(&self) -> OtherRuntime {
        OtherRuntime {
            product: (!self.own).then_some(self.product),
            key: self.key.clone(),
        }
    }
}

/// A namespace of a cluster belongs to one product, and to one runtime alone if that runs
/// pipelines (`global_webhook.go`, `GetUsedNamespaces`; `deploymentruntime_webhook.go`).
pub(super) fn check_namespaces(
    tree: &ManifestTree,
    others: &[&ManifestTree],
    found: &mut BTreeSet<Violation>,
) {
    let mut takers: BTreeMap<(EntityName, String), Vec<Taker>> = BTreeMap::new();
    for_each_runtime(tree, others, |cluster, taker, entity| {
        let namespaces = match entity {
            Entity::PipelineRuntime(runtime) => vec![runtime.effective_namespace()],
            Entity::DeploymentRuntime(runtime) => runtime.effective_namespaces(),
            _ => Vec::new(),
        };
        for namespace in namespaces.into_iter().collect::<BTreeSet<_>>() {
            takers
                .entry((cluster.clone(), namespace.to_owned()))
                .or_default()
                .push(taker.clone());
        }
    });
    let deploys = |taker: &Taker| taker.key.kind == Kind::DeploymentRuntime;
    for ((cluster, namespace), takers) in takers {
        own_pairs(&takers, |with, taker| {
            let may_share = deploys(with) && deploys(taker) && with.product == taker.product;
            if !may_share {
                let rule = Rule::NamespaceShared {
                    cluster: cluster.clone(),
                    namespace: namespace.clone(),
                    with: with.as_other(),
                };
                found.insert(Violation::new(taker.key.clone(), rule));
            }
        });
    }
}

/// Where Argo CD applications are named after the runtime alone, two products may not have
/// runtimes of one name on one cluster (`argocd.go` of runtime-operator).
pub(super) fn check_applications(
    tree: &ManifestTree,
    others: &[&ManifestTree],
    found: &mut BTreeSet<Violation>,
) {
    let mut takers: BTreeMap<(EntityName, EntityName), Vec<Taker>> = BTreeMap::new();
    for_each_runtime(tree, others, |cluster, taker, _| {
        takers
            .entry((cluster.clone(), taker.key.name.clone()))
            .or_default()
            .push(taker);
    });
    for ((cluster, _), takers) in takers {
        own_pairs(&takers, |with, taker| {
            if with.product != taker.product {
                let rule = Rule::ApplicationShared {
                    cluster: cluster.clone(),
                    with: with.as_other(),
                };
                found.insert(Violation::new(taker.key.clone(), rule));
            }
        });
    }
}

/// Visits the runtimes whose cluster is known, other products' first.
fn for_each_runtime(
    tree: &ManifestTree,
    others: &[&ManifestTree],
    mut visit: impl FnMut(&EntityName, Taker, &Entity),
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
                    Taker {
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

/// Visits each pair whose second member is in the repository that is checked.
fn own_pairs(takers: &[Taker], mut visit: impl FnMut(&Taker, &Taker)) {
    for (position, taker) in takers.iter().enumerate() {
        if taker.own {
            takers
                .iter()
                .take(position)
                .for_each(|with| visit(with, taker));
        }
    }
}

/// Visits each pair of entities that have one place.
fn pairs<P: Ord>(
    uses: impl Iterator<Item = (P, EntityKey)>,
    mut visit: impl FnMut(&P, &EntityKey, &EntityKey),
) {
    let mut places: BTreeMap<P, BTreeSet<EntityKey>> = BTreeMap::new();
    for (place, key) in uses {
        places.entry(place).or_default().insert(key);
    }
    for (place, keys) in &places {
        for (position, key) in keys.iter().enumerate() {
            keys.iter()
                .take(position)
                .for_each(|with| visit(place, with, key));
        }
    }
}

fn deployment_key(runtime: &DeploymentRuntime) -> EntityKey {
    EntityKey::new(Kind::DeploymentRuntime, runtime.name.clone())
}

fn pipeline_key(runtime: &PipelineRuntime) -> EntityKey {
    EntityKey::new(Kind::PipelineRuntime, runtime.name.clone())
}

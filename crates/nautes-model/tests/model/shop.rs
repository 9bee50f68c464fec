//! A small valid product and its tenant, which tests modify.

use std::collections::{BTreeMap, BTreeSet};

use nautes_model::entity::{
    Cluster, ClusterShape, CodeRepo, CodeRepoBinding, Component, ComponentSlot, DeploymentRuntime,
    Entity, Environment, Permissions, PipelineRuntime, WorkerType,
};
use nautes_model::layout::Repository;
use nautes_model::tree::ManifestTree;
use nautes_model::validation::{Context, Rule, Violation, new_violations, violations};
use nautes_model::{EntityKey, Kind, RepositoryId};

use crate::golden::{self, PRODUCT, name};

pub(crate) const SOURCE: RepositoryId = RepositoryId::new(128);
pub(crate) const PIPELINES: RepositoryId = RepositoryId::new(129);
pub(crate) const MANIFESTS: RepositoryId = RepositoryId::new(131);

pub(crate) fn key(kind: Kind, text: &str) -> EntityKey {
    EntityKey::new(kind, name(text))
}

pub(crate) fn environment(text: &str, cluster: &str) -> Environment {
    Environment {
        name: name(text),
        cluster: name(cluster),
        ..golden::environment()
    }
}

pub(crate) fn code_repo(id: RepositoryId, repo_name: &str, project: Option<&str>) -> CodeRepo {
    CodeRepo {
        id,
        repo_name: repo_name.into(),
        project: project.map(name),
        ..golden::code_repo()
    }
}

pub(crate) fn binding(text: &str, code_repo: RepositoryId, projects: &[&str]) -> CodeRepoBinding {
    CodeRepoBinding {
        name: name(text),
        code_repo,
        projects: projects.iter().map(|project| name(project)).collect(),
        permissions: Permissions::ReadOnly,
        ..golden::code_repo_binding()
    }
}

pub(crate) fn pipeline_runtime(text: &str) -> PipelineRuntime {
    let mut runtime = PipelineRuntime {
        name: name(text),
        ..golden::pipeline_runtime()
    };
    runtime.destination.namespace = Some(text.into());
    runtime
}

pub(crate) fn deployment_runtime(text: &str) -> DeploymentRuntime {
    DeploymentRuntime {
        name: name(text),
        ..golden::deployment_runtime()
    }
}

/// Returns the entities of the product, in an order of creation.
pub(crate) fn entities() -> Vec<Entity> {
    vec![
        environment("staging", "deploy-01").into(),
        environment("build", "build-01").into(),
        golden::project().into(),
        code_repo(SOURCE, "checkout-src", Some("checkout")).into(),
        code_repo(PIPELINES, "pipelines", None).into(),
        code_repo(MANIFESTS, "deploy", None).into(),
        binding("pipelines-to-all", PIPELINES, &[]).into(),
        binding("deploy-to-checkout", MANIFESTS, &["checkout"]).into(),
        pipeline_runtime("checkout-ci").into(),
        deployment_runtime("checkout-staging").into(),
    ]
}

pub(crate) fn tree_of(entities: &[Entity]) -> ManifestTree {
    let mut tree = ManifestTree::new(Repository::Product(PRODUCT));
    for entity in entities {
        tree.put(entity).expect("its path is free");
    }
    tree.update_kustomization();
    tree
}

pub(crate) fn product() -> ManifestTree {
    tree_of(&entities())
}

pub(crate) fn cluster(text: &str, shape: ClusterShape) -> Cluster {
    let components = ComponentSlot::required_for(&shape)
        .iter()
        .map(|slot| {
            let (name, namespace) = slot.default_component();
            let additions = match name {
                "argocd" | "tekton" => BTreeMap::from([("host".into(), format!("{name}.x.io"))]),
                "traefik" => BTreeMap::from([
                    ("httpNodePort".into(), "30080".into()),
                    ("httpsNodePort".into(), "30443".into()),
                ]),
                _ => BTreeMap::new(),
            };
            (
                *slot,
                Component {
                    additions,
                    name: name.into(),
                    namespace: namespace.into(),
                },
            )
        })
        .collect();
    Cluster {
        name: name(text),
        shape,
        components,
        ..golden::cluster()
    }
}

pub(crate) fn clusters() -> Vec<Cluster> {
    vec![
        cluster("host-01", ClusterShape::Host),
        cluster(
            "deploy-01",
            ClusterShape::PhysicalWorker(WorkerType::Deployment),
        ),
        cluster(
            "build-01",
            ClusterShape::VirtualWorker {
                worker_type: WorkerType::Pipeline,
                host_cluster: name("host-01"),
            },
        ),
    ]
}

pub(crate) fn tenant_of(clusters: &[Cluster]) -> ManifestTree {
    let mut tree = ManifestTree::new(Repository::Tenant);
    for cluster in clusters {
        tree.put(&cluster.clone().into()).expect("its path is free");
    }
    tree.update_kustomization();
    tree
}

pub(crate) fn tenant() -> ManifestTree {
    tenant_of(&clusters())
}

/// Puts an entity into the product and returns the violations that this introduces.
pub(crate) fn violations_of_put(entity: impl Into<Entity>) -> BTreeSet<Violation> {
    let before = product();
    let mut after = before.clone();
    after.put(&entity.into()).expect("its path is free");
    introduced(&before, &after)
}

/// Removes an entity from the product and returns the violations that this introduces.
pub(crate) fn violations_of_removal(key: &EntityKey) -> BTreeSet<Violation> {
    let before = product();
    let mut after = before.clone();
    assert!(after.remove(key), "{key} exists");
    introduced(&before, &after)
}

pub(crate) fn introduced(before: &ManifestTree, after: &ManifestTree) -> BTreeSet<Violation> {
    let tenant = tenant();
    new_violations(
        before,
        after,
        &Context {
            clusters: Some(&tenant),
            ..Context::default()
        },
    )
}

/// Returns the only violation.
pub(crate) fn only(violations: BTreeSet<Violation>) -> Violation {
    let all: Vec<Violation> = violations.into_iter().collect();
    let [violation] = <[Violation; 1]>::try_from(all).expect("there is one violation");
    violation
}

/// Returns the rule of the only violation.
pub(crate) fn only_rule(violations: BTreeSet<Violation>) -> Rule {
    only(violations).rule
}

#[test]
fn the_product_and_its_tenant_are_valid() {
    let tenant = tenant();
    let product = product();
    let context = Context {
        clusters: Some(&tenant),
        ..Context::default()
    };
    assert_eq!(violations(&product, &context), BTreeSet::new());
    let context = Context {
        other_products: &[&product],
        ..Context::default()
    };
    assert_eq!(violations(&tenant, &context), BTreeSet::new());
}

//! Rules for clusters, and for runtimes on them.

use std::collections::BTreeSet;

use nautes_model::Kind;
use nautes_model::entity::{ClusterShape, WorkerType};
use nautes_model::validation::{
    Context, FieldPath, Problem, Rule, new_violations, problems, violations,
};

use super::{missing, problem_of};
use crate::golden::{PRODUCT, name};
use crate::shop::{self, key, only, only_rule, violations_of_put};

#[test]
fn a_runtime_needs_a_cluster_of_its_worker_type() {
    let mut runtime = shop::deployment_runtime("live");
    runtime.destination.environment = name("build");
    assert_eq!(
        only_rule(violations_of_put(runtime)),
        Rule::WrongWorkerType {
            cluster: name("build-01"),
            expected: WorkerType::Deployment
        }
    );
    let mut runtime = shop::pipeline_runtime("again");
    runtime.destination.environment = name("staging");
    assert_eq!(
        only_rule(violations_of_put(runtime)),
        Rule::WrongWorkerType {
            cluster: name("deploy-01"),
            expected: WorkerType::Pipeline
        }
    );
}

#[test]
fn a_runtime_cannot_use_the_namespace_of_a_component() {
    let mut runtime = shop::deployment_runtime("argocd");
    runtime.manifest_source.path = "overlays/live".into();
    runtime.destination.namespaces.clear();
    let rule = |cluster: &str, namespace: &str| Rule::ReservedNamespace {
        cluster: name(cluster),
        namespace: namespace.into(),
    };
    assert_eq!(
        only_rule(violations_of_put(runtime)),
        rule("deploy-01", "argocd")
    );
    let mut runtime = shop::pipeline_runtime("again");
    runtime.destination.namespace = Some("tekton-pipelines".into());
    assert_eq!(
        only_rule(violations_of_put(runtime)),
        rule("build-01", "tekton-pipelines")
    );
}

#[test]
fn a_pipeline_runtime_needs_the_pipeline_component() {
    let mut clusters = shop::clusters();
    clusters[2]
        .components
        .retain(|_, component| component.name != "tekton");
    let tenant = shop::tenant_of(&clusters);
    let context = Context {
        clusters: Some(&tenant),
        ..Context::default()
    };
    assert_eq!(
        only_rule(violations(&shop::product(), &context)),
        Rule::NoPipelineComponent {
            cluster: name("build-01")
        }
    );
}

#[test]
fn a_single_cluster_is_validated() {
    let worker = || {
        shop::cluster(
            "deploy-02",
            ClusterShape::PhysicalWorker(WorkerType::Deployment),
        )
    };
    assert_eq!(problems(&worker().into(), Some("nautes")), BTreeSet::new());
    let named_like_tenant = problems(&worker().into(), Some("deploy-02"));
    assert!(matches!(
        named_like_tenant.first(),
        Some((_, Problem::NameCollision { .. }))
    ));

    let mut cluster = worker();
    cluster.api_server = "https://k8s:6443".into();
    assert_eq!(problem_of(cluster).0, "api_server");

    let mut cluster = worker();
    cluster
        .components
        .retain(|_, component| component.name != "hnc");
    assert_eq!(
        problem_of(cluster),
        ("components.multi_tenant".into(), Problem::MissingComponent)
    );

    let mut cluster = worker();
    for component in cluster.components.values_mut() {
        component.additions.remove("httpsNodePort");
    }
    assert_eq!(problem_of(cluster).0, "components.gateway.https_node_port");

    let mut cluster = worker();
    cluster
        .reserved_namespaces_allowed_products
        .insert("argo".into(), BTreeSet::from(["shop".into()]));
    assert_eq!(
        problem_of(cluster).0,
        "reserved_namespaces_allowed_products[\"argo\"]"
    );
}

#[test]
fn a_host_must_exist_and_have_the_usage_host() {
    let mut clusters = shop::clusters();
    clusters[0] = shop::cluster(
        "host-01",
        ClusterShape::PhysicalWorker(WorkerType::Deployment),
    );
    let tree = shop::tenant_of(&clusters);
    assert_eq!(
        only_rule(violations(&tree, &Context::default())),
        Rule::NotAHost {
            host: name("host-01")
        }
    );
    let tree = shop::tenant_of(&clusters[1..]);
    assert_eq!(
        only_rule(violations(&tree, &Context::default())),
        missing(
            FieldPath::new("host_cluster"),
            key(Kind::Cluster, "host-01")
        )
    );
}

#[test]
fn a_cluster_that_an_environment_uses_cannot_be_removed() {
    let product = shop::product();
    let before = shop::tenant();
    let mut after = before.clone();
    after.remove(&key(Kind::Cluster, "deploy-01"));
    let context = Context {
        other_products: &[&product],
        ..Context::default()
    };
    let violation = only(new_violations(&before, &after, &context));
    assert_eq!(violation.entity(), Some(&key(Kind::Cluster, "deploy-01")));
    assert_eq!(
        violation.rule,
        Rule::ClusterInUse {
            product: PRODUCT,
            environment: name("staging")
        }
    );
}

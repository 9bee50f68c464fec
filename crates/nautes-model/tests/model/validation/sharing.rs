//! Rules for sharing.

use std::collections::BTreeSet;

use nautes_model::entity::Entity;
use nautes_model::layout::Repository;
use nautes_model::tree::ManifestTree;
use nautes_model::validation::{Context, OtherRuntime, Rule, Subject, violations};
use nautes_model::{Kind, ProductId};

use crate::golden::name;
use crate::shop::{self, key, only, only_rule, violations_of_put};

#[test]
fn two_environments_cannot_use_the_same_cluster() {
    let violation = only(violations_of_put(shop::environment("live", "deploy-01")));
    assert_eq!(
        violation.subject,
        Subject::Entity(key(Kind::Environment, "staging"))
    );
    assert_eq!(
        violation.rule,
        Rule::ClusterShared {
            cluster: name("deploy-01"),
            with: key(Kind::Environment, "live"),
        }
    );
    assert!(violation.may_resolve());
}

#[test]
fn two_deployment_runtimes_cannot_deploy_the_same_folder_into_the_same_environment() {
    assert_eq!(
        only_rule(violations_of_put(shop::deployment_runtime("again"))),
        Rule::SourceShared {
            with: key(Kind::DeploymentRuntime, "again"),
            path: "overlays/staging".into(),
        }
    );
    let mut runtime = shop::deployment_runtime("again");
    runtime.manifest_source.target_revision = "v1".into();
    assert_eq!(violations_of_put(runtime), BTreeSet::new());
}

#[test]
fn two_pipeline_runtimes_cannot_run_the_same_file_in_the_same_namespace() {
    let mut runtime = shop::pipeline_runtime("again");
    runtime.destination.namespace = Some("checkout-ci".into());
    let rules: Vec<Rule> = violations_of_put(runtime.clone())
        .into_iter()
        .map(|violation| violation.rule)
        .collect();
    let with = key(Kind::PipelineRuntime, "again");
    assert_eq!(
        rules,
        [
            Rule::SourceShared {
                with: with.clone(),
                path: "pipelines/build.yaml".into()
            },
            Rule::NamespaceShared {
                cluster: name("build-01"),
                namespace: "checkout-ci".into(),
                with: OtherRuntime {
                    product: None,
                    key: with
                },
            },
        ]
    );
    runtime.destination.namespace = None;
    assert_eq!(violations_of_put(runtime), BTreeSet::new());
}

#[test]
fn deployment_runtimes_of_a_product_may_share_namespaces() {
    let mut runtime = shop::deployment_runtime("again");
    runtime.manifest_source.path = "overlays/again".into();
    assert_eq!(violations_of_put(runtime), BTreeSet::new());
}

#[test]
fn products_cannot_share_namespaces_nor_runtime_names_where_nautes_reconciles() {
    let other = ProductId::new(7);
    let mut foreign = ManifestTree::new(Repository::Product(other));
    let mut environment = shop::environment("prod", "deploy-01");
    environment.product = other;
    let mut runtime = shop::deployment_runtime("checkout-staging");
    runtime.product = other;
    runtime.destination.environment = name("prod");
    for entity in [Entity::from(environment), Entity::from(runtime)] {
        foreign.put(&entity).expect("its path is free");
    }
    let product = shop::product();
    let with = OtherRuntime {
        product: Some(other),
        key: key(Kind::DeploymentRuntime, "checkout-staging"),
    };
    let context = Context {
        other_products: &[&foreign],
        ..Context::default()
    };
    let namespace = Rule::NamespaceShared {
        cluster: name("deploy-01"),
        namespace: "checkout".into(),
        with: with.clone(),
    };
    assert_eq!(only_rule(violations(&product, &context)), namespace);
    let context = Context {
        nautes_reconciles: true,
        ..context
    };
    let rules: Vec<Rule> = violations(&product, &context)
        .into_iter()
        .map(|violation| violation.rule)
        .collect();
    assert_eq!(
        rules,
        [
            namespace,
            Rule::ApplicationShared {
                cluster: name("deploy-01"),
                with
            }
        ]
    );
}

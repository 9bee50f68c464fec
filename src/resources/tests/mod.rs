//! Homes of manifests, against an emulated GitLab: a product's change waits for the tenant's
//! repository, and the tenant's for the products.

mod cluster_manifest;
mod deployment_runtime;
mod names;
mod plan;
mod safety;

use std::collections::BTreeMap;
use std::time::Duration;

use gitlab_emulator::Emulator;
use nautes_model::EntityName;
use nautes_model::entity::{Cluster, ClusterShape, Entity, WorkerType};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::Model;
use terraform_plugin::provider::{ConfigureContext, Provider, Registry};
use terraform_plugin::testing::driver::{Applied, Driver};
use terraform_plugin::value::Value;

use self::cluster_manifest::{ClusterManifest, State};
use super::environment::EnvironmentModel;
use super::product::ProductModel;
use crate::backends::gitlab::{GitLab, Limits, NewGroup, NewProject, Options, Visibility};
use crate::client::Client;
use crate::provider::{Nautes, ProviderBlock};

fn cluster(name: &str) -> Entity {
    Entity::Cluster(Cluster {
        name: EntityName::new(name).unwrap(),
        namespace: Cluster::NAMESPACE.into(),
        api_server: "https://10.0.0.1:6443".into(),
        shape: ClusterShape::PhysicalWorker(WorkerType::Deployment),
        primary_domain: None,
        components: [].into(),
        reserved_namespaces_allowed_products: [].into(),
        product_allowed_cluster_resources: [].into(),
    })
}

/// The provider with the kind of these tests.
struct WithClusters;

impl Provider for WithClusters {
    type Config = ProviderBlock;
    type Client = Client;

    async fn configure(
        &self,
        block: ProviderBlock,
        context: &mut ConfigureContext,
    ) -> Result<Client, Diagnostics> {
        Nautes.configure(block, context).await
    }

    fn register(&self, registry: &mut Registry<Client>) {
        super::register(registry);
        registry.resource(ClusterManifest);
    }
}

pub(crate) fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// A configuration in which only these attributes are set.
pub(crate) fn config<M: Model, const N: usize>(set: [(&str, Value); N]) -> Value {
    let unset = M::attributes();
    let unset = unset.keys().map(|name| (name.clone(), Value::Null));
    let mut all: BTreeMap<String, Value> = unset.collect();
    for (name, value) in set {
        assert!(all.insert(name.to_owned(), value).is_some(), "{name}");
    }
    Value::Object(all)
}

/// A client of the emulator.
fn gitlab(emulator: &Emulator) -> GitLab {
    GitLab::new(&Options {
        url: emulator.url.clone(),
        token: emulator.root_token.as_str().into(),
        ca_pem: None,
        limits: Limits::default(),
    })
    .unwrap()
}

/// Starts an emulator and a provider for it with the product `shop`. Also returns the provider's
/// configuration.
async fn start() -> (Emulator, Driver<WithClusters>, Value) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let emulator = Emulator::builder().start().await.unwrap();
    let gitlab = gitlab(&emulator);
    let group = NewGroup {
        name: "nautes".into(),
        path: "nautes".into(),
        parent_id: None,
        description: String::new(),
        visibility: Visibility::Private,
    };
    let group = gitlab.create_group(&group).await.unwrap();
    let management = NewProject {
        name: "management".into(),
        path: "management".into(),
        namespace_id: group.id,
        description: String::new(),
        visibility: Visibility::Private,
        default_branch: Some("main".into()),
        initialize_with_readme: true,
    };
    gitlab.create_project(&management).await.unwrap();
    let block = config::<crate::provider::GitLabBlock, 2>([
        ("url", text(&emulator.url)),
        ("token", text(&emulator.root_token)),
    ]);
    let tenant = config::<crate::provider::TenantRepositoryBlock, 1>([(
        "project",
        text("nautes/management"),
    )]);
    let provider = config::<ProviderBlock, 2>([("gitlab", block), ("tenant_repository", tenant)]);
    let driver = Driver::configure(WithClusters, provider.clone())
        .await
        .unwrap();
    let shop = config::<ProductModel, 1>([("name", text("shop"))]);
    succeed(driver.apply("nautes_product", &shop, None).await.unwrap());
    (emulator, driver, provider)
}

fn succeed(applied: Applied) -> terraform_plugin::testing::driver::Stored {
    assert!(applied.diagnostics.is_empty(), "{:?}", applied.diagnostics);
    applied.stored.unwrap()
}

fn environment(cluster: &str) -> Value {
    config::<EnvironmentModel, 4>([
        ("product", text("shop")),
        ("name", text("production")),
        ("cluster", text(cluster)),
        ("env_type", text("production")),
    ])
}

const ENVIRONMENT: &str = "nautes_environment";
const CLUSTER: &str = "nautes_cluster_manifest";

#[tokio::test(flavor = "multi_thread")]
async fn a_products_change_waits_for_the_manifest_of_its_cluster_in_the_tenants_repository() {
    let (_emulator, driver, _) = start().await;
    let config_of_cluster = config::<State, 1>([("name", text("deploy-01"))]);
    let environment = environment("deploy-01");
    let brings = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        driver.apply(CLUSTER, &config_of_cluster, None).await
    };
    let (waits, brought) = tokio::join!(driver.apply(ENVIRONMENT, &environment, None), brings);
    succeed(brought.unwrap());
    succeed(waits.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_waits_for_the_environments_that_use_it_to_go() {
    let (_emulator, driver, provider) = start().await;
    let config_of_cluster = config::<State, 1>([("name", text("deploy-01"))]);
    let cluster = driver.apply(CLUSTER, &config_of_cluster, None).await;
    let cluster = succeed(cluster.unwrap());
    let environment = environment("deploy-01");
    let environment = driver.apply(ENVIRONMENT, &environment, None).await;
    let environment = succeed(environment.unwrap());

    // Terraform destroys in another process than the one that created, and refreshes there first.
    driver.reconfigure(&provider).await.unwrap();
    let read = driver.read(ENVIRONMENT, &environment).await.unwrap();
    assert!(read.is_some());
    let refused = driver.apply(CLUSTER, &Value::Null, Some(&cluster)).await;
    let refused = refused.unwrap();
    assert!(!refused.diagnostics.is_empty(), "the cluster is in use");
    assert!(refused.stored.is_some());

    let goes = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        driver
            .apply(ENVIRONMENT, &Value::Null, Some(&environment))
            .await
    };
    let (waits, gone) = tokio::join!(driver.apply(CLUSTER, &Value::Null, Some(&cluster)), goes);
    assert!(gone.unwrap().diagnostics.is_empty());
    let waits = waits.unwrap();
    assert!(waits.diagnostics.is_empty(), "{:?}", waits.diagnostics);
    assert!(waits.stored.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_has_created_it_also_deletes() {
    // Terraform's command `test` creates and destroys in one process since 1.15.
    let (emulator, driver, _) = start().await;
    let environment = environment("deploy-01");
    let config_of_cluster = config::<State, 1>([("name", text("deploy-01"))]);
    let cluster = driver.apply(CLUSTER, &config_of_cluster, None).await;
    succeed(cluster.unwrap());
    for _ in 0..2 {
        let made = driver.apply(ENVIRONMENT, &environment, None).await;
        let made = succeed(made.unwrap());
        let changed = driver.read(ENVIRONMENT, &made).await.unwrap();
        assert!(changed.is_some());
        let gone = driver.apply(ENVIRONMENT, &Value::Null, Some(&made)).await;
        assert!(gone.unwrap().diagnostics.is_empty());
        assert!(driver.read(ENVIRONMENT, &made).await.unwrap().is_none());
    }
    let store = config::<ProductModel, 1>([("name", text("store"))]);
    let made = driver.apply("nautes_product", &store, None).await;
    let made = succeed(made.unwrap());
    let gone = driver
        .apply("nautes_product", &Value::Null, Some(&made))
        .await;
    assert!(gone.unwrap().stored.is_none());
    let gitlab = GitLab::new(&Options {
        url: emulator.url.clone(),
        token: emulator.root_token.as_str().into(),
        ca_pem: None,
        limits: Limits::default(),
    });
    let store = gitlab.unwrap().group("store").await;
    assert!(store.unwrap_err().is_not_found());
}

//! Deployment runtimes without a cluster: what plans show, and what Nautes's operators get.

use terraform_plugin::testing::driver::{Driver, Stored};
use terraform_plugin::value::Value;

use super::{ENVIRONMENT, WithClusters, config, start, succeed, text};
use crate::resources::deployment_runtime::{
    DeploymentRuntimeModel, DestinationModel, ManifestSourceModel,
};
use crate::resources::environment::EnvironmentModel;

const RUNTIME: &str = "nautes_deployment_runtime";
/// The id of the product `shop`.
const SHOP: &str = "product-3";

fn runtime(product: &str, environment: &str, namespaces: Value) -> Value {
    let source = config::<ManifestSourceModel, 3>([
        ("code_repo", text("repo-7")),
        ("target_revision", text("main")),
        ("path", text("deploy/test")),
    ]);
    let destination = config::<DestinationModel, 2>([
        ("environment", text(environment)),
        ("namespaces", namespaces),
    ]);
    config::<DeploymentRuntimeModel, 5>([
        // The repository has no manifest.
        ("insecure_skip_check", Value::Bool(true)),
        ("product", text(product)),
        ("name", text("web")),
        ("manifest_source", source),
        ("destination", destination),
    ])
}

async fn create_environment(driver: &Driver<WithClusters>, name: &str) {
    let environment = config::<EnvironmentModel, 5>([
        ("insecure_skip_check", Value::Bool(true)),
        ("product", text(SHOP)),
        ("name", text(name)),
        ("cluster", text(&format!("cluster-of-{name}"))),
        ("env_type", text("test")),
    ]);
    succeed(driver.apply(ENVIRONMENT, &environment, None).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_shows_what_is_known_of_it_and_asks_for_a_namespace_that_can_be_one() {
    let (_emulator, driver, _) = start().await;
    let namespaces = Value::List(vec![text("a"), text("b")]);
    let planned = runtime(SHOP, "test", namespaces.clone());
    let planned = driver.plan(RUNTIME, &planned, None).await.unwrap().planned;
    for (attribute, value) in [
        ("effective_namespaces", namespaces),
        ("effective_account", text("web")),
        ("application", text("product-3-web")),
        ("manifest_path", text("runtimes/web.yaml")),
        ("namespace", text(SHOP)),
        ("cluster", Value::Unknown),
        ("id", Value::Unknown),
    ] {
        assert_eq!(*planned.attribute(attribute), value, "{attribute}");
    }
    let by_id = runtime(SHOP, "test", Value::Null);
    let planned = driver.plan(RUNTIME, &by_id, None).await.unwrap().planned;
    assert_eq!(*planned.attribute("effective_namespaces"), Value::Unknown);
    let unusable = runtime("My_Shop", "test", Value::Null);
    let refused = driver.plan(RUNTIME, &unusable, None).await;
    let refused = format!("{:?}", refused.err().unwrap());
    assert!(refused.contains("Set destination.namespaces"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nautes_a_runtime_is_its_manifest_and_changes_its_environment_by_a_replacement() {
    let (_emulator, driver, mut provider) = start().await;
    if let Value::Object(arguments) = &mut provider {
        arguments.insert("reconciler".to_owned(), text("nautes"));
    }
    driver.reconfigure(&provider).await.unwrap();
    create_environment(&driver, "test").await;
    create_environment(&driver, "live").await;
    let configured = runtime(SHOP, "test", Value::Null);
    let created: Stored = succeed(driver.apply(RUNTIME, &configured, None).await.unwrap());
    let state = |attribute: &str| created.value.attribute(attribute).clone();
    assert_eq!(state("application"), text("web"));
    assert_eq!(state("cluster"), text("cluster-of-test"));
    assert_eq!(
        state("effective_namespaces"),
        Value::List(vec![text("web")])
    );

    driver.reconfigure(&provider).await.unwrap();
    let read = driver.read(RUNTIME, &created).await.unwrap().unwrap();
    assert_eq!(read.value, created.value);
    // In another run: in this one it would be a second address of the same runtime.
    driver.reconfigure(&provider).await.unwrap();
    let imported = driver.import(RUNTIME, "shop/web").await.unwrap().unwrap();
    assert_eq!(*imported.value.attribute("application"), text("web"));

    driver.reconfigure(&provider).await.unwrap();
    let read = driver.read(RUNTIME, &created).await.unwrap().unwrap();
    // The id of the same environment changes nothing; another one replaces the runtime.
    let same = runtime(SHOP, "product-3/test", Value::Null);
    let planned = driver.plan(RUNTIME, &same, Some(&read)).await.unwrap();
    assert!(planned.is_empty, "{:?}", planned.planned);
    let other = runtime(SHOP, "live", Value::Null);
    let planned = driver.plan(RUNTIME, &other, Some(&read)).await.unwrap();
    assert!(planned.replaces, "{:?}", planned.planned);
}

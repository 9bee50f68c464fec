//! What plans show, without a command line.

use terraform_plugin::testing::driver::{Change, Driver, Failure, Stored};
use terraform_plugin::value::Value;

use super::{ENVIRONMENT, WithClusters, config, gitlab, start, succeed, text};
use crate::backends::gitlab::{NewGroup, NewProject, Visibility};
use crate::resources::code_repo::{CodeRepoList, CodeRepoModel};
use crate::resources::code_repo_binding::CodeRepoBindingModel;
use crate::resources::environment::EnvironmentModel;
use crate::resources::product::{ProductList, ProductModel};
use crate::resources::project::ProjectModel;

const PRODUCT: &str = "nautes_product";
const REPO: &str = "nautes_code_repo";
const BINDING: &str = "nautes_code_repo_binding";
/// The id of the product `shop`.
const SHOP: &str = "product-3";

const PROJECT: &str = "nautes_project";

fn environment_in(product: Value, cluster: Value) -> Value {
    config::<EnvironmentModel, 5>([
        // The clusters have no manifests.
        ("insecure_skip_check", Value::Bool(true)),
        ("product", product),
        ("name", text("staging")),
        ("cluster", cluster),
        ("env_type", text("staging")),
    ])
}

async fn create(driver: &Driver<WithClusters>, type_name: &str, config: &Value) -> Stored {
    succeed(driver.apply(type_name, config, None).await.unwrap())
}

async fn plan(
    driver: &Driver<WithClusters>,
    type_name: &str,
    config: &Value,
    prior: Option<&Stored>,
) -> Change {
    driver.plan(type_name, config, prior).await.unwrap()
}

fn error(failure: Result<Change, Failure>) -> String {
    format!("{:?}", failure.err().unwrap())
}

/// The product `shop` in a run that has read it.
async fn read_shop(driver: &Driver<WithClusters>, provider: &Value) -> Stored {
    driver.reconfigure(provider).await.unwrap();
    let imported = driver.import(PRODUCT, "shop").await.unwrap().unwrap();
    driver.reconfigure(provider).await.unwrap();
    driver.read(PRODUCT, &imported).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_shows_what_is_known_of_it() {
    let (_emulator, driver, _) = start().await;
    let product = config::<ProductModel, 1>([("name", text("books"))]);
    let planned = plan(&driver, PRODUCT, &product, None).await.planned;
    assert_eq!(*planned.attribute("display_name"), text("books"));
    assert_eq!(*planned.attribute("description"), text(""));
    assert_eq!(*planned.attribute("visibility"), text("private"));
    assert_eq!(*planned.attribute("full_path"), text("books"));
    assert_eq!(*planned.attribute("id"), Value::Unknown);

    let repo = config::<CodeRepoModel, 2>([("product", text(SHOP)), ("name", text("a"))]);
    let planned = plan(&driver, REPO, &repo, None).await.planned;
    assert_eq!(*planned.attribute("display_name"), text("a"));
    assert_eq!(*planned.attribute("description"), text(""));
    assert_eq!(*planned.attribute("visibility"), text("private"));
    assert_eq!(*planned.attribute("namespace"), text(SHOP));
    assert_eq!(*planned.attribute("id"), Value::Unknown);

    let environment = environment_in(text(SHOP), text("deploy-01"));
    let planned = plan(&driver, ENVIRONMENT, &environment, None).await.planned;
    assert_eq!(
        *planned.attribute("manifest_path"),
        text("envs/staging.yaml")
    );
    assert_eq!(*planned.attribute("namespace"), text(SHOP));
    assert_eq!(*planned.attribute("id"), Value::Unknown);

    let binding = config::<CodeRepoBindingModel, 4>([
        ("product", text(SHOP)),
        ("name", text("open")),
        ("code_repo", text("repo-7")),
        ("permissions", text("readonly")),
    ]);
    let planned = plan(&driver, BINDING, &binding, None).await.planned;
    assert_eq!(
        *planned.attribute("manifest_path"),
        text("code-repos/repo-7/open.yaml")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_adopted_leaves_open_arguments_unknown() {
    let (_emulator, driver, _) = start().await;
    let product = config::<ProductModel, 2>([
        ("name", text("books")),
        ("adopt_existing", Value::Bool(true)),
    ]);
    let planned = plan(&driver, PRODUCT, &product, None).await.planned;
    for attribute in ["display_name", "description", "visibility"] {
        assert_eq!(*planned.attribute(attribute), Value::Unknown, "{attribute}");
    }
    let repo = config::<CodeRepoModel, 3>([
        ("product", text(SHOP)),
        ("name", text("a")),
        ("adopt_existing", Value::Bool(true)),
    ]);
    let planned = plan(&driver, REPO, &repo, None).await.planned;
    for attribute in [
        "display_name",
        "description",
        "visibility",
        "default_branch",
    ] {
        assert_eq!(*planned.attribute(attribute), Value::Unknown, "{attribute}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_set_of_projects_is_refused() {
    let (_emulator, driver, _) = start().await;
    let binding = config::<CodeRepoBindingModel, 5>([
        ("product", text("shop")),
        ("name", text("open")),
        ("code_repo", text("repo-7")),
        ("permissions", text("readonly")),
        ("projects", Value::set([])),
    ]);
    let refused = error(driver.plan(BINDING, &binding, None).await);
    assert!(
        refused.contains("An empty set names no project"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_named_differently_changes_nothing() {
    let (_emulator, driver, provider) = start().await;
    let by_name = environment_in(text("shop"), text("deploy-01"));
    let by_id = environment_in(text(SHOP), text("deploy-01"));
    create(&driver, ENVIRONMENT, &by_name).await;
    for (id, config) in [
        (format!("{SHOP}/staging"), &by_name),
        ("shop/staging".to_owned(), &by_id),
    ] {
        driver.reconfigure(&provider).await.unwrap();
        let imported = driver.import(ENVIRONMENT, &id).await.unwrap().unwrap();
        let Value::Object(config) = config else {
            panic!("{config:?} is no object");
        };
        let mut config = config.clone();
        config.insert("insecure_skip_check".to_owned(), Value::Null);
        let config = Value::Object(config);
        let planned = plan(&driver, ENVIRONMENT, &config, Some(&imported)).await;
        assert!(planned.is_empty, "{:?}", planned.planned);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_is_renamed_in_the_same_plan_replaces_nothing() {
    let (_emulator, driver, provider) = start().await;
    let by_name = environment_in(text("shop"), text("deploy-01"));
    let environment = create(&driver, ENVIRONMENT, &by_name).await;
    let shop = read_shop(&driver, &provider).await;
    let renamed = config::<ProductModel, 1>([("name", text("store"))]);
    let product = plan(&driver, PRODUCT, &renamed, Some(&shop)).await;
    assert!(!product.replaces);
    assert_eq!(*product.planned.attribute("full_path"), text("store"));
    let by_new_name = environment_in(text("store"), text("deploy-01"));
    let planned = plan(&driver, ENVIRONMENT, &by_new_name, Some(&environment)).await;
    assert!(!planned.replaces, "{:?}", planned.planned);
    assert_eq!(*planned.planned.attribute("product"), text("store"));
    assert_eq!(
        *planned.planned.attribute("id"),
        text(&format!("{SHOP}/staging"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_does_not_exist_is_an_error_and_no_replacement() {
    let (_emulator, driver, provider) = start().await;
    let by_name = environment_in(text("shop"), text("deploy-01"));
    let environment = create(&driver, ENVIRONMENT, &by_name).await;
    driver.reconfigure(&provider).await.unwrap();
    let elsewhere = environment_in(text("elsewhere"), text("deploy-01"));
    let refused = driver
        .plan(ENVIRONMENT, &elsewhere, Some(&environment))
        .await;
    let refused = error(refused);
    assert!(refused.contains("elsewhere"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_that_is_not_known_yet_replaces_nothing() {
    let (_emulator, driver, provider) = start().await;
    let known = environment_in(text("shop"), text("deploy-01"));
    let environment = create(&driver, ENVIRONMENT, &known).await;
    driver.reconfigure(&provider).await.unwrap();
    let unknown = environment_in(Value::Unknown, Value::Unknown);
    let planned = plan(&driver, ENVIRONMENT, &unknown, Some(&environment)).await;
    assert!(!planned.replaces);
    assert_eq!(*planned.planned.attribute("product"), Value::Unknown);
    assert_eq!(
        *planned.planned.attribute("id"),
        text(&format!("{SHOP}/staging"))
    );

    // At apply it means what it meant before.
    let applied = driver.apply(ENVIRONMENT, &known, Some(&environment)).await;
    succeed(applied.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_that_turns_out_to_mean_another_product_fails_before_any_write() {
    let (_emulator, driver, provider) = start().await;
    let known = environment_in(text("shop"), text("deploy-01"));
    let environment = create(&driver, ENVIRONMENT, &known).await;
    driver.reconfigure(&provider).await.unwrap();
    // Something else of the run is applied first.
    let books = config::<ProductModel, 1>([("name", text("books"))]);
    create(&driver, PRODUCT, &books).await;
    let moved = environment_in(text("books"), text("deploy-01"));
    let refused = driver.plan(ENVIRONMENT, &moved, Some(&environment)).await;
    let refused = error(refused);
    assert!(refused.contains("plan again"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_to_what_is_replaced_replaces_too() {
    let (_emulator, driver, provider) = start().await;
    let known = environment_in(text("shop"), text("deploy-01"));
    let environment = create(&driver, ENVIRONMENT, &known).await;
    let shop = read_shop(&driver, &provider).await;
    let config = config::<ProductModel, 1>([("name", text("shop"))]);
    let tainted = Stored {
        tainted: true,
        ..shop
    };
    assert!(
        plan(&driver, PRODUCT, &config, Some(&tainted))
            .await
            .replaces
    );
    let unknown = environment_in(Value::Unknown, text("deploy-01"));
    let planned = plan(&driver, ENVIRONMENT, &unknown, Some(&environment)).await;
    assert!(planned.replaces);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_is_where_the_plan_of_its_creation_says() {
    let (_emulator, driver, _) = start().await;
    let project = config::<ProjectModel, 2>([("product", text(SHOP)), ("name", text("checkout"))]);
    let created = create(&driver, PROJECT, &project).await;
    assert_eq!(
        *created.value.attribute("manifest_path"),
        text("projects/checkout/checkout.yaml")
    );
}

fn warnings(change: &Change) -> Vec<&str> {
    let warnings = change.diagnostics.iter();
    warnings.map(|warning| warning.summary.as_str()).collect()
}

/// Makes the public group `books` by hand.
fn books() -> NewGroup {
    NewGroup {
        name: "All books".into(),
        path: "books".into(),
        parent_id: None,
        description: "By hand".into(),
        visibility: Visibility::Public,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_of_a_creation_tells_that_the_group_exists() {
    let (emulator, driver, provider) = start().await;
    gitlab(&emulator).create_group(&books()).await.unwrap();
    driver.reconfigure(&provider).await.unwrap();
    let product = config::<ProductModel, 1>([("name", text("books"))]);
    let planned = plan(&driver, PRODUCT, &product, None).await;
    assert_eq!(
        warnings(&planned),
        ["The GitLab group books exists already"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_of_an_adoption_tells_what_changes_and_the_rest_stays() {
    let (emulator, driver, provider) = start().await;
    gitlab(&emulator).create_group(&books()).await.unwrap();
    driver.reconfigure(&provider).await.unwrap();
    let product = config::<ProductModel, 3>([
        ("name", text("books")),
        ("display_name", text("Books")),
        ("adopt_existing", Value::Bool(true)),
    ]);
    let planned = plan(&driver, PRODUCT, &product, None).await;
    assert_eq!(warnings(&planned), ["The GitLab group books is adopted"]);
    let detail = &planned.diagnostics[0].detail;
    let change = r#"display_name changes from "All books" to "Books""#;
    assert!(detail.contains(change), "{detail}");
    let applied = driver.apply(PRODUCT, &product, None).await.unwrap();
    let adopted = applied.stored.unwrap().value;
    assert_eq!(*adopted.attribute("display_name"), text("Books"));
    assert_eq!(*adopted.attribute("description"), text("By hand"));
    assert_eq!(*adopted.attribute("visibility"), text("public"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_of_a_repository_tells_what_gitlab_will_refuse() {
    let (emulator, driver, provider) = start().await;
    let shop = SHOP.strip_prefix("product-").unwrap().parse().unwrap();
    let by_hand = NewProject {
        name: "a".into(),
        path: "a".into(),
        namespace_id: shop,
        description: String::new(),
        visibility: Visibility::Private,
        default_branch: None,
        initialize_with_readme: false,
    };
    gitlab(&emulator).create_project(&by_hand).await.unwrap();
    driver.reconfigure(&provider).await.unwrap();
    let repo = config::<CodeRepoModel, 3>([
        ("product", text(SHOP)),
        ("name", text("a")),
        ("visibility", text("public")),
    ]);
    let planned = plan(&driver, REPO, &repo, None).await;
    assert_eq!(
        warnings(&planned),
        [
            "The visibility is above the product's",
            "The GitLab project shop/a exists already",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_gitlab_does_not_accept_is_an_error_of_the_plan() {
    let (_emulator, driver, provider) = start().await;
    let Value::Object(mut block) = provider else {
        panic!("the provider has no block");
    };
    let Value::Object(mut server) = block["gitlab"].clone() else {
        panic!("the provider has no server");
    };
    server.insert("token".into(), text("not-accepted"));
    block.insert("gitlab".into(), Value::Object(server));
    driver.reconfigure(&Value::Object(block)).await.unwrap();
    let product = config::<ProductModel, 1>([("name", text("books"))]);
    let refused = error(driver.plan(PRODUCT, &product, None).await);
    assert!(refused.contains("gitlab.token"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_failure_fails_no_plan() {
    let (emulator, driver, provider) = start().await;
    driver.reconfigure(&provider).await.unwrap();
    drop(emulator);
    let product = config::<ProductModel, 1>([("name", text("books"))]);
    assert!(warnings(&plan(&driver, PRODUCT, &product, None).await).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_give_what_a_user_of_gitlab_needs_and_refuse_an_unknown_project() {
    let (_emulator, driver, _) = start().await;
    let products = config::<ProductList, 0>([]);
    let listed = driver.read_data_source("nautes_products", &products).await;
    let listed = listed.unwrap();
    let Value::List(products) = listed.attribute("products") else {
        panic!("there is no list of products");
    };
    let is_shop = |product: &&Value| product.attribute("name").as_str() == Some("shop");
    let shop = products.iter().find(is_shop).unwrap();
    let repository = shop.attribute("config_repository");
    assert_eq!(*repository.attribute("path"), text("shop/default.project"));
    let url = shop.attribute("web_url").as_str().unwrap();
    assert!(url.ends_with("/groups/shop"), "{url}");
    let nobodys = config::<CodeRepoList, 2>([("product", text("shop")), ("project", text("nope"))]);
    let refused = driver.read_data_source("nautes_code_repos", &nobodys).await;
    let refused = format!("{:?}", refused.err().unwrap());
    assert!(
        refused.contains("has no project nope, so the filter finds nothing"),
        "{refused}"
    );
}

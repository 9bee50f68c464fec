//! What a plan or an import refuses before anything is contacted.

use terraform_plugin::testing::driver::{Driver, Failure};
use terraform_plugin::value::{Path, Value};

use super::{config, text};
use crate::provider::{GitLabBlock, Nautes, ProviderBlock};
use crate::resources::code_repo::CodeRepoModel;
use crate::resources::code_repo_binding::CodeRepoBindingModel;
use crate::resources::environment::EnvironmentModel;
use crate::resources::product::ProductModel;
use crate::resources::project::ProjectModel;

/// A provider whose GitLab never answers.
async fn driver() -> Driver<Nautes> {
    let gitlab = config::<GitLabBlock, 2>([
        ("url", text("http://127.0.0.1:9")),
        ("token", text("token")),
    ]);
    let block = config::<ProviderBlock, 1>([("gitlab", gitlab)]);
    Driver::configure(Nautes, block).await.unwrap()
}

/// Returns the attribute and the detail of the only error of a plan.
async fn refused(type_name: &str, config: &Value) -> (String, String) {
    match driver().await.plan(type_name, config, None).await {
        Err(Failure::Reported(found)) => {
            assert_eq!(found.len(), 1, "{found:?}");
            let found = found.into_iter().next().unwrap();
            let path = found.attribute.unwrap_or_default();
            (format!("{path:?}"), found.detail)
        }
        other => panic!("{config:?} was not refused: {other:?}"),
    }
}

fn at(attribute: &str) -> String {
    let path = terraform_plugin::protocol::tfplugin6::AttributePath::from(&Path::to(attribute));
    format!("{path:?}")
}

fn code_repo(name: &str) -> Value {
    config::<CodeRepoModel, 2>([("product", text("shop")), ("name", text(name))])
}

fn product(name: &str) -> Value {
    config::<ProductModel, 1>([("name", text(name))])
}

#[tokio::test]
async fn names_that_gitlab_would_refuse_are_errors_of_their_attribute_at_plan() {
    for name in ["_svc", "a--b", "svc_", "tree", ""] {
        let (path, detail) = refused("nautes_code_repo", &code_repo(name)).await;
        assert_eq!(path, at("name"), "{detail}");
    }
    for name in ["s", "_shop", "shop--eu", "api", "2024", ""] {
        let (path, detail) = refused("nautes_product", &product(name)).await;
        assert_eq!(path, at("name"), "{detail}");
    }
    let adopted = config::<ProductModel, 2>([
        ("name", text("shop--eu")),
        ("adopt_existing", Value::Bool(true)),
    ]);
    let planned = driver().await.plan("nautes_product", &adopted, None).await;
    assert!(planned.is_ok(), "GitLab keeps older paths: {planned:?}");
}

#[tokio::test]
async fn a_name_that_its_kind_does_not_allow_is_answered_with_the_rule_and_the_longest_length() {
    let of_product = |type_name: &str, name: &str| match type_name {
        "nautes_product" => product(name),
        "nautes_code_repo" => code_repo(name),
        "nautes_environment" => config::<EnvironmentModel, 4>([
            ("product", text("shop")),
            ("name", text(name)),
            ("cluster", text("deploy-01")),
            ("env_type", text("test")),
        ]),
        "nautes_project" => {
            config::<ProjectModel, 2>([("product", text("shop")), ("name", text(name))])
        }
        _ => config::<CodeRepoBindingModel, 4>([
            ("product", text("shop")),
            ("name", text(name)),
            ("code_repo", text("till")),
            ("permissions", text("readonly")),
        ]),
    };
    let path_rule = "letters, digits, `_`";
    let subdomain_rule = "lower-case letters, digits, `-` and `.` are allowed";
    for (type_name, noun, rule, length) in [
        ("nautes_product", "a product", path_rule, 255),
        ("nautes_code_repo", "a code repository", path_rule, 255),
        ("nautes_environment", "an environment", subdomain_rule, 250),
        ("nautes_project", "a project", subdomain_rule, 250),
        (
            "nautes_code_repo_binding",
            "a code repository binding",
            subdomain_rule,
            250,
        ),
    ] {
        let (path, detail) = refused(type_name, &of_product(type_name, "Shop!")).await;
        assert_eq!(path, at("name"), "{detail}");
        let expected = format!("`Shop!` cannot be the name of {noun}: {rule}");
        assert!(detail.contains(&expected), "{detail}");
        let longest = format!("at most {length} characters are allowed");
        assert!(detail.contains(&longest), "{detail}");

        let (path, detail) = refused(type_name, &of_product(type_name, &"a".repeat(300))).await;
        assert_eq!(path, at("name"), "{detail}");
        assert!(detail.contains("it has 300 characters"), "{detail}");
        assert!(detail.contains(&longest), "{detail}");
    }
}

#[tokio::test]
async fn display_names_that_gitlab_would_refuse_are_errors_of_their_attribute_at_plan() {
    for (name, type_name) in [
        ("Bob & Co", "nautes_code_repo"),
        ("-dash", "nautes_code_repo"),
        ("Shop (EU)", "nautes_code_repo"),
        (" ", "nautes_code_repo"),
        ("Bob & Co", "nautes_product"),
    ] {
        let config = match type_name {
            "nautes_product" => {
                config::<ProductModel, 2>([("name", text("shop")), ("display_name", text(name))])
            }
            _ => config::<CodeRepoModel, 3>([
                ("product", text("shop")),
                ("name", text("checkout")),
                ("display_name", text(name)),
            ]),
        };
        let (path, detail) = refused(type_name, &config).await;
        assert_eq!(path, at("display_name"), "{detail}");
    }
}

#[tokio::test]
async fn a_description_that_begins_with_a_mark_of_the_provider_is_refused_at_plan() {
    for mark in ["[terraform: unfinished]", "[terraform: destroying] Shop"] {
        let config =
            config::<ProductModel, 2>([("name", text("shop")), ("description", text(mark))]);
        let (path, detail) = refused("nautes_product", &config).await;
        assert_eq!(path, at("description"), "{detail}");
        assert!(detail.contains("Remove that"), "{detail}");
    }
}

#[tokio::test]
async fn a_product_below_a_group_is_answered_with_the_argument_for_it() {
    let (_, detail) = refused("nautes_product", &product("acme/shop")).await;
    assert!(
        detail.contains("gitlab.parent_group = \"acme\""),
        "{detail}"
    );
    assert!(detail.contains("name = \"shop\""), "{detail}");
}

#[tokio::test]
async fn a_malformed_import_id_is_answered_with_the_forms_that_are_allowed() {
    let driver = driver().await;
    for (type_name, ids, forms) in [
        ("nautes_product", ["", "/", "Shop!"], "product-<numeric ID"),
        (
            "nautes_environment",
            ["", "shop", "shop/Dev"],
            "shop/staging",
        ),
        ("nautes_project", ["", "shop/", "repo-1/a"], "shop/checkout"),
        (
            "nautes_code_repo",
            ["", "shop/", "shop/a b"],
            "repo-<numeric ID",
        ),
        (
            "nautes_code_repo_binding",
            ["", "/a", "a b/c"],
            "shop/checkout-deploy",
        ),
    ] {
        for id in ids {
            match driver.import(type_name, id).await {
                Err(Failure::Reported(found)) => {
                    assert_eq!(found[0].summary, "Invalid import id", "{type_name} {id:?}");
                    assert!(found[0].detail.contains(forms), "{}", found[0].detail);
                }
                other => panic!("{type_name} {id:?}: {other:?}"),
            }
        }
    }
}

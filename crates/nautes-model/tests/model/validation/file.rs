//! Rules for files.

use std::collections::BTreeSet;

use nautes_model::validation::{Context, Problem, Rule, Subject, Violation, violations};
use nautes_model::{Kind, ProductId};

use crate::golden::{self, name};
use crate::shop::{self, key, only_rule, violations_of_put};

#[test]
fn a_manifest_must_name_the_product_of_its_repository() {
    let mut project = golden::project();
    project.product = ProductId::new(7);
    project.name = name("other");
    assert_eq!(
        only_rule(violations_of_put(project)),
        Rule::ForeignProduct {
            product: ProductId::new(7)
        }
    );
}

#[test]
fn files_without_an_entity_are_reported() {
    let mut tree = shop::product();
    for (path, text) in [
        ("envs/broken.yaml", "a: [b"),
        ("envs/empty.yaml", ""),
        (
            "envs/foreign.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n",
        ),
        ("envs/.gitkeep", ""),
        ("envs/README.md", "text"),
        ("templates/a.yaml", "a: [b"),
    ] {
        tree.put_file(path, text);
    }
    let found = violations(&tree, &Context::default());
    let subjects: Vec<_> = found
        .iter()
        .map(|violation| violation.subject.clone())
        .collect();
    let file = |path: &str| Subject::File(path.into());
    assert_eq!(
        subjects,
        [
            file("envs/broken.yaml"),
            file("envs/empty.yaml"),
            file("envs/foreign.yaml")
        ]
    );
    assert!(found.iter().all(|violation| {
        matches!(&violation.rule, Rule::Unreadable { reason } if !reason.contains('\n'))
    }));
}

#[test]
fn misplaced_and_duplicate_manifests_are_reported() {
    let text = include_str!("../../golden/manifests/project.yaml");
    let mut tree = shop::product();
    tree.put_file("projects/other/checkout.yaml", text);
    let rules: Vec<Rule> = violations(&tree, &Context::default())
        .into_iter()
        .map(|found| found.rule)
        .collect();
    assert_eq!(
        rules,
        [
            Rule::Misplaced {
                path: "projects/other/checkout.yaml".into()
            },
            Rule::Duplicate {
                paths: vec![
                    "projects/checkout/checkout.yaml".into(),
                    "projects/other/checkout.yaml".into(),
                ],
            },
        ]
    );
    let mut tree = shop::product();
    tree.remove(&key(Kind::Project, "checkout"));
    tree.put_file("projects/checkout/renamed.yaml", text);
    assert_eq!(violations(&tree, &Context::default()), BTreeSet::new());
}

#[test]
fn an_occupied_path_is_rejected() {
    let mut tree = shop::product();
    let mut runtime = shop::pipeline_runtime("checkout");
    runtime.pipelines.clear();
    let taken = tree.put(&runtime.into()).expect_err("the project is there");
    let violation = Violation::from(taken);
    assert_eq!(
        violation.rule,
        Rule::PathTaken {
            path: "projects/checkout/checkout.yaml".into(),
            occupant: Some(key(Kind::Project, "checkout")),
        }
    );
    assert!(violation.may_resolve());
}

#[test]
fn a_project_cannot_be_named_like_a_top_level_folder() {
    let mut tree = shop::product();
    tree.put_file("charts/a.yaml", "a: 1");
    let mut project = golden::project();
    project.name = name("charts");
    tree.put(&project.into()).expect("its path is free");
    let rule = only_rule(violations(&tree, &Context::default()));
    assert!(
        matches!(rule, Rule::Invalid { field, problem: Problem::NameCollision { .. } }
            if field.to_string() == "name")
    );
}

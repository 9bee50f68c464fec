//! References, and the permission to use code repositories.

use std::collections::BTreeSet;

use nautes_model::entity::AdditionalResources;
use nautes_model::validation::{Context, FieldPath, Rule, Violation, violations};
use nautes_model::{Kind, RepositoryId};

use super::missing;
use crate::golden::{self, name};
use crate::shop::{
    self, MANIFESTS, PIPELINES, SOURCE, key, only_rule, violations_of_put, violations_of_removal,
};

#[test]
fn an_environment_needs_its_cluster() {
    assert_eq!(
        only_rule(violations_of_put(shop::environment("live", "gone"))),
        missing(FieldPath::new("cluster"), key(Kind::Cluster, "gone"))
    );
}

#[test]
fn clusters_are_not_checked_when_they_are_unknown() {
    let mut tree = shop::product();
    tree.put(&shop::environment("live", "gone").into())
        .expect("its path is free");
    assert_eq!(violations(&tree, &Context::default()), BTreeSet::new());
}

#[test]
fn the_target_of_a_reference_must_exist() {
    let mut repo = shop::code_repo(RepositoryId::new(7), "svc", Some("gone"));
    let project = || missing(FieldPath::new("project"), key(Kind::Project, "gone"));
    assert_eq!(only_rule(violations_of_put(repo.clone())), project());
    repo.project = None;
    assert_eq!(violations_of_put(repo), BTreeSet::new());

    let rules: Vec<Rule> = violations_of_put(shop::binding("b", RepositoryId::new(7), &["gone"]))
        .into_iter()
        .map(|violation| violation.rule)
        .collect();
    assert_eq!(
        rules,
        [
            missing(FieldPath::new("code_repo"), key(Kind::CodeRepo, "repo-7")),
            missing(FieldPath::new("projects"), key(Kind::Project, "gone")),
        ]
    );

    let mut runtime = shop::deployment_runtime("live");
    runtime.manifest_source.path = "overlays/live".into();
    runtime.destination.environment = name("gone");
    let environment = FieldPath::new("destination").attribute("environment");
    assert_eq!(
        only_rule(violations_of_put(runtime)),
        missing(environment, key(Kind::Environment, "gone"))
    );
}

#[test]
fn removing_an_entity_violates_the_references_to_it() {
    let rules = violations_of_removal(&key(Kind::Project, "checkout"));
    let users: Vec<String> = rules
        .iter()
        .map(|violation| violation.entity().expect("an entity").to_string())
        .collect();
    assert_eq!(
        users,
        [
            "code repository `repo-128`",
            "code repository binding `deploy-to-checkout`",
            "pipeline runtime `checkout-ci`",
            "deployment runtime `checkout-staging`",
        ]
    );
    assert!(rules.iter().all(Violation::may_resolve));
}

#[test]
fn removing_a_binding_revokes_the_permission() {
    assert_eq!(
        only_rule(violations_of_removal(&key(
            Kind::CodeRepoBinding,
            "pipelines-to-all"
        ))),
        Rule::NotAuthorised {
            field: FieldPath::new("pipeline_source"),
            project: name("checkout"),
            code_repo: PIPELINES,
        }
    );
}

#[test]
fn moving_a_repository_to_another_project_revokes_the_permission_of_the_first() {
    let mut before = shop::product();
    let mut other = golden::project();
    other.name = name("other");
    before.put(&other.into()).expect("its path is free");
    let mut after = before.clone();
    after
        .put(&shop::code_repo(SOURCE, "checkout-src", Some("other")).into())
        .expect("its path is its own");
    let field = FieldPath::new("event_sources").key("on-push");
    assert_eq!(
        only_rule(shop::introduced(&before, &after)),
        Rule::NotAuthorised {
            field: field.attribute("gitlab").attribute("code_repo"),
            project: name("checkout"),
            code_repo: SOURCE,
        }
    );
}

#[test]
fn additional_resources_need_permission_too() {
    let mut runtime = shop::pipeline_runtime("checkout-ci");
    let mut resources = AdditionalResources {
        code_repo: Some(MANIFESTS),
        path: ".".into(),
        revision: "main".into(),
        url: None,
    };
    runtime.additional_resources = Some(resources.clone());
    assert_eq!(violations_of_put(runtime.clone()), BTreeSet::new());
    resources.code_repo = Some(RepositoryId::new(7));
    runtime.additional_resources = Some(resources);
    let fields: Vec<Rule> = violations_of_put(runtime)
        .into_iter()
        .map(|violation| violation.rule)
        .collect();
    let field = FieldPath::new("additional_resources").attribute("code_repo");
    assert_eq!(fields[0], missing(field, key(Kind::CodeRepo, "repo-7")));
    assert!(matches!(fields[1], Rule::NotAuthorised { .. }));
}

#[test]
fn a_deployment_runtime_without_projects_needs_no_permission() {
    let mut runtime = shop::deployment_runtime("live");
    runtime.manifest_source.path = "overlays/live".into();
    runtime.manifest_source.code_repo = SOURCE;
    runtime.projects.clear();
    assert_eq!(violations_of_put(runtime), BTreeSet::new());
}

#[test]
fn earlier_violations_are_not_attributed_to_a_change() {
    let mut before = shop::product();
    before.remove(&key(Kind::Project, "checkout"));
    let mut after = before.clone();
    let mut project = golden::project();
    project.name = name("other");
    after.put(&project.into()).expect("its path is free");
    assert_eq!(shop::introduced(&before, &after), BTreeSet::new());
}

#[test]
fn where_nautes_reconciles_a_repository_must_report_the_events_of_runtimes() {
    let mut tree = shop::product();
    let mut repo = shop::code_repo(SOURCE, "checkout-src", Some("checkout"));
    repo.webhook_events = None;
    tree.put(&repo.into()).expect("its path is its own");
    assert_eq!(violations(&tree, &Context::default()), BTreeSet::new());
    let context = Context {
        nautes_reconciles: true,
        ..Context::default()
    };
    let field = FieldPath::new("event_sources").key("on-push");
    assert_eq!(
        only_rule(violations(&tree, &context)),
        Rule::NotReported {
            field: field.attribute("gitlab").attribute("events"),
            event: "push_events".into(),
            code_repo: SOURCE,
        }
    );
}

//! The messages for users.

use nautes_model::entity::Entity;
use nautes_model::tree::ManifestTree;
use nautes_model::validation::explain::{ChangeContext, Explanation, explain};
use nautes_model::validation::{Context, new_violations};
use nautes_model::{EntityKey, Kind, RepositoryId};

use crate::golden::{self, name};
use crate::shop::{self, MANIFESTS, key};

fn explained(before: &ManifestTree, after: &ManifestTree, changed: &EntityKey) -> Vec<Explanation> {
    let tenant = shop::tenant();
    let violations = shop::introduced(before, after);
    let context = ChangeContext {
        before,
        after,
        clusters: Some(&tenant),
        product_name: Some("shop"),
    };
    explain(&violations, changed, &context)
}

fn explain_put(entity: impl Into<Entity>) -> Explanation {
    let entity = entity.into();
    let before = shop::product();
    let mut after = before.clone();
    after.put(&entity).expect("its path is free");
    only(explained(&before, &after, &entity.key()))
}

fn explain_removal(key: &EntityKey) -> Explanation {
    let before = shop::product();
    let mut after = before.clone();
    after.remove(key);
    only(explained(&before, &after, key))
}

fn only(explanations: Vec<Explanation>) -> Explanation {
    let [explanation] = <[_; 1]>::try_from(explanations).expect("there is one explanation");
    explanation
}

fn field(explanation: &Explanation) -> String {
    explanation
        .field
        .as_ref()
        .expect("a field is at fault")
        .to_string()
}

#[test]
fn a_message_for_a_missing_target_lists_the_existing_ones() {
    let explanation = explain_put(shop::environment("live", "gone"));
    assert_eq!(explanation.summary, "The cluster `gone` does not exist");
    assert_eq!(
        explanation.detail,
        "The environment `live` references it (`cluster`). The tenant has: `build-01`, \
         `deploy-01`, `host-01`."
    );
    assert_eq!(field(&explanation), "cluster");

    let mut runtime = shop::deployment_runtime("checkout-staging");
    runtime.destination.environment = name("gone");
    let explanation = explain_put(runtime);
    assert_eq!(
        explanation.detail,
        "The deployment runtime `checkout-staging` references it (`destination.environment`). \
         Product `shop` has: `build`, `staging`."
    );
}

#[test]
fn a_missing_repository_hides_the_missing_permission() {
    let mut runtime = shop::pipeline_runtime("checkout-ci");
    runtime.pipeline_source = RepositoryId::new(7);
    let explanation = explain_put(runtime);
    assert_eq!(
        explanation.summary,
        "The code repository `repo-7` does not exist"
    );
    assert!(explanation.detail.ends_with(
        "Product `shop` has: `checkout-src` (repo-128), `pipelines` (repo-129), `deploy` \
         (repo-131)."
    ));
}

#[test]
fn a_message_for_a_missing_permission_shows_the_binding() {
    let mut other = golden::project();
    other.name = name("billing");
    let before = shop::tree_of(&[shop::entities(), vec![other.into()]].concat());
    let mut after = before.clone();
    let mut runtime = shop::deployment_runtime("live");
    runtime.manifest_source.path = "overlays/live".into();
    runtime.projects.insert(name("billing"));
    after.put(&runtime.into()).expect("its path is free");
    let changed = key(Kind::DeploymentRuntime, "live");
    let explanation = only(explained(&before, &after, &changed));
    assert_eq!(
        explanation.summary,
        "The code repository `deploy` (repo-131) is not authorised for project `billing`"
    );
    assert_eq!(field(&explanation), "manifest_source.code_repo");
    let binding = r#"resource "nautes_code_repo_binding" "deploy_to_billing" {
  product     = "shop"
  name        = "deploy-to-billing"
  code_repo   = "deploy"
  projects    = ["billing"]
  permissions = "readonly"
}"#;
    assert!(explanation.hint.expect("there is one").ends_with(binding));
}

#[test]
fn the_suggested_binding_has_an_unused_name() {
    let mut entities = shop::entities();
    entities.retain(|entity| entity.kind() != Kind::CodeRepoBinding);
    entities.retain(|entity| entity.kind() != Kind::DeploymentRuntime);
    entities.push(shop::binding("pipelines-to-checkout", MANIFESTS, &["checkout"]).into());
    let after = shop::tree_of(&entities);
    entities.retain(|entity| entity.kind() != Kind::PipelineRuntime);
    let before = shop::tree_of(&entities);
    let changed = key(Kind::PipelineRuntime, "checkout-ci");
    let hint = only(explained(&before, &after, &changed))
        .hint
        .expect("there is one");
    assert!(
        hint.contains("name        = \"pipelines-to-checkout-2\""),
        "{hint}"
    );
}

#[test]
fn a_message_for_a_removal_lists_the_referrers_and_a_solution() {
    let explanation = explain_removal(&key(Kind::Project, "checkout"));
    assert_eq!(explanation.summary, "The project `checkout` is still used");
    assert_eq!(
        explanation.detail,
        "It cannot be removed while it is referenced by code repository `checkout-src` (repo-128) \
         (`project`), code repository binding `deploy-to-checkout` (`projects`), pipeline runtime \
         `checkout-ci` (`project`), deployment runtime `checkout-staging` (`projects`)."
    );
    let hint = explanation.hint.expect("there is one");
    assert!(
        hint.contains("create_before_destroy") && hint.contains("First apply"),
        "{hint}"
    );
    // What another state manages does not change in this run.
    let way_out = "`insecure_skip_check = true` on the project `checkout`";
    assert!(hint.contains(way_out), "{hint}");
    assert_eq!(explanation.field, None);
}

#[test]
fn a_message_for_a_cluster_removal_lists_the_environments() {
    let product = shop::product();
    let before = shop::tenant();
    let mut after = before.clone();
    let changed = key(Kind::Cluster, "deploy-01");
    after.remove(&changed);
    let context = Context {
        other_products: &[&product],
        ..Context::default()
    };
    let change_context = ChangeContext {
        before: &before,
        after: &after,
        clusters: None,
        product_name: None,
    };
    let violations = new_violations(&before, &after, &context);
    let explanation = only(explain(&violations, &changed, &change_context));
    assert_eq!(explanation.summary, "The cluster `deploy-01` is still used");
    assert!(
        explanation
            .detail
            .contains("environment `staging` of `product-41`")
    );
}

#[test]
fn a_message_for_a_binding_removal_names_who_loses_the_permission() {
    let explanation = explain_removal(&key(Kind::CodeRepoBinding, "pipelines-to-all"));
    assert_eq!(
        explanation.summary,
        "The code repository `pipelines` (repo-129) would no longer be authorised for project \
         `checkout`"
    );
    assert_eq!(
        explanation.detail,
        "The pipeline runtime `checkout-ci` uses it (`pipeline_source`)."
    );
    assert_eq!(explanation.field, None);
}

#[test]
fn a_message_for_sharing_names_both_entities() {
    let explanation = explain_put(shop::environment("live", "deploy-01"));
    assert_eq!(explanation.summary, "Two environments use the same cluster");
    assert!(explanation.detail.contains("environment `staging`"));
    assert!(explanation.detail.contains("environment `live`"));
    assert_eq!(field(&explanation), "cluster");

    let explanation = explain_put(shop::deployment_runtime("again"));
    assert!(explanation.detail.contains("`checkout-staging`"));
    assert!(explanation.detail.contains("`again`"));
    assert_eq!(field(&explanation), "manifest_source");
}

#[test]
fn a_message_for_an_invalid_name_states_the_rule() {
    let mut runtime = shop::pipeline_runtime("a-name-of-twenty-two-c");
    runtime.destination.namespace = Some("shop-ci".into());
    let explanation = explain_put(runtime);
    assert_eq!(field(&explanation), "name");
    assert!(
        explanation
            .detail
            .contains("at most 21 characters are allowed")
    );
}

//! Manifests, compared with those that Nautes writes.

use nautes_model::ProductId;
use nautes_model::entity::Entity;
use nautes_model::layout::{ManifestPath, Repository};
use nautes_model::manifest::{Manifest, ManifestError, render};
use nautes_model::tree::ManifestTree;

use proptest::prelude::*;

use crate::{arbitrary, golden};

#[test]
fn every_kind_is_rendered_like_nautes_renders_it() {
    for (entity, text) in golden::all() {
        assert_eq!(render(&entity), text, "{}", entity.key());
    }
}

#[test]
fn manifests_of_nautes_are_parsed() {
    for (entity, text) in golden::all() {
        let manifest = Manifest::parse(text, None).expect(text);
        assert_eq!(manifest.entity(), &entity);
        assert_eq!(manifest.differences(&entity), Vec::<String>::new());
        assert_eq!(manifest.render_with(&entity), text);
    }
}

#[test]
fn the_kustomization_is_rendered_like_nautes_renders_it() {
    let repository = Repository::Product(golden::PRODUCT);
    let manifest = |kind: &str, name: &str, spec: &str| {
        format!(
            "apiVersion: nautes.resource.nautes.io/v1alpha1\nkind: {kind}\n\
             metadata:\n  name: {name}\nspec: {spec}\n"
        )
    };
    let tree = ManifestTree::from_files(
        repository,
        [
            ("README.md", "# shop".to_owned()),
            (
                "envs/dev.yaml",
                manifest(
                    "Environment",
                    "dev",
                    "{cluster: c, envType: dev, product: product-41}",
                ),
            ),
            (
                "projects/shop/shop.yaml",
                manifest("Project", "shop", "{product: product-41}"),
            ),
            (
                "code-repos/repo-12/repo-12.yaml",
                manifest("CodeRepo", "repo-12", "{product: product-41}"),
            ),
        ],
    );
    assert_eq!(
        tree.kustomization(),
        include_str!("../golden/manifests/kustomization.yaml")
    );
}

#[test]
fn the_kustomization_of_a_new_product_has_no_resources() {
    let tree = ManifestTree::new(Repository::Product(golden::PRODUCT));
    assert_eq!(
        tree.kustomization(),
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
    );
}

#[test]
fn an_update_keeps_unknown_keys() {
    let text = "\
apiVersion: nautes.resource.nautes.io/v1alpha1
kind: Environment
metadata:
  annotations:
    team: payments
  creationTimestamp: null
  name: staging
spec:
  cluster: vc-staging
  envType: staging
  future:
    setting: \"1\"
  product: product-41
";
    let manifest = Manifest::parse(text, None).expect("it is a manifest");
    let mut environment = golden::environment();
    environment.cluster = golden::name("elsewhere");
    let updated = manifest.render_with(&environment.into());
    assert_eq!(updated, text.replace("vc-staging", "elsewhere"));
}

#[test]
fn an_update_removes_a_field_that_is_no_longer_set() {
    let text = include_str!("../golden/manifests/deployment_runtime.yaml");
    let manifest = Manifest::parse(text, None).expect("it is a manifest");
    let mut runtime = golden::deployment_runtime();
    runtime.account = None;
    let updated = manifest.render_with(&runtime.into());
    assert_eq!(updated, text.replace("  account: checkout-staging\n", ""));
}

#[test]
fn differences_name_the_fields() {
    let (_, text) = golden::all().remove(5);
    let manifest = Manifest::parse(text, None).expect("it is a manifest");
    let mut runtime = golden::deployment_runtime();
    runtime.destination.namespaces.clear();
    runtime.manifest_source.path = "overlays/live".into();
    assert_eq!(
        manifest.differences(&runtime.into()),
        ["spec.destination.namespaces", "spec.manifestSource.path"]
    );
}

#[test]
fn order_and_empty_values_are_not_differences() {
    let text = "\
kind: CodeRepo
apiVersion: nautes.resource.nautes.io/v1alpha1
spec:
  repoName: svc
  product: product-41
  webhook:
    events: [tag_push_events, push_events]
metadata:
  creationTimestamp: 2023-01-01T00:00:00Z
  name: repo-7
status: {}
";
    let manifest = Manifest::parse(text, None).expect("it is a manifest");
    let Entity::CodeRepo(mut repo) = manifest.entity().clone() else {
        panic!("it is a code repository");
    };
    assert_eq!(repo.project, None);
    repo.url = Some(String::new());
    assert_eq!(manifest.differences(&repo.into()), Vec::<String>::new());
}

#[test]
fn a_pipeline_runtime_without_a_namespace_belongs_to_the_product_of_its_repository() {
    let text = include_str!("../golden/manifests/pipeline_runtime.yaml")
        .replace("  namespace: product-41\nspec", "spec");
    let manifest = Manifest::parse(&text, Some(ProductId::new(7))).expect("it is a manifest");
    assert_eq!(manifest.entity().product(), Some(ProductId::new(7)));
    assert!(Manifest::parse(&text, None).is_err());
}

#[test]
fn a_parse_error_states_its_reason() {
    let parse = |text: &str| Manifest::parse(text, None).expect_err(text);
    assert!(matches!(parse("a: [b"), ManifestError::NotYaml(_)));
    assert!(matches!(
        parse(""),
        ManifestError::NotAManifest {
            missing: "apiVersion"
        }
    ));
    assert!(matches!(
        parse("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"),
        ManifestError::UnknownKind { .. }
    ));
    let (_, text) = golden::all().remove(0);
    assert!(matches!(
        parse(&text.replace("cluster:", "clustre:")),
        ManifestError::NotAnEntity { .. }
    ));
    assert!(matches!(
        parse(&text.replace("name: staging", "name: A/B")),
        ManifestError::Name(_)
    ));
}

proptest! {
    #[test]
    fn any_entity_round_trips(entity in arbitrary::entity()) {
        let text = render(&entity);
        let manifest = Manifest::parse(&text, None).expect(&text);
        prop_assert_eq!(manifest.entity(), &entity);
        prop_assert_eq!(manifest.differences(&entity), Vec::<String>::new());
        prop_assert_eq!(manifest.render_with(&entity), text);
    }

    #[test]
    fn an_update_turns_any_entity_into_any_other(
        old in arbitrary::entity(),
        new in arbitrary::entity(),
    ) {
        let old = Manifest::parse(&render(&old), None).expect("it is a manifest");
        let updated = old.render_with(&new);
        let manifest = Manifest::parse(&updated, None).expect(&updated);
        prop_assert_eq!(manifest.entity(), &new);
        prop_assert_eq!(updated, render(&new));
    }

    #[test]
    fn parsing_any_text_succeeds_or_fails_with_an_error(
        text in arbitrary::text(),
        head in any::<bool>(),
    ) {
        let head = if head { golden::all()[4].1 } else { "" };
        let _ = Manifest::parse(&format!("{head}{text}"), None).map_err(|error| error.to_string());
    }

    #[test]
    fn the_path_of_any_entity_round_trips(entity in arbitrary::entity()) {
        let path = ManifestPath::from(&entity);
        let shares_a_name = matches!(&entity, Entity::PipelineRuntime(runtime)
            if runtime.name == runtime.project);
        prop_assume!(!shares_a_name);
        let parsed: ManifestPath = path.as_str().parse().expect("it is a path of the layout");
        prop_assert_eq!(parsed.key(), &entity.key());
        prop_assert_eq!(parsed, path);
    }
}

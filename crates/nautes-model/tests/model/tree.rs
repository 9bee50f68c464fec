//! Trees, and random valid products that are built and taken apart.

use std::collections::BTreeSet;

use nautes_model::entity::Entity;
use nautes_model::layout::Repository;
use nautes_model::tree::{FileChange, ManifestTree};
use nautes_model::validation::{Context, Violation, new_violations, violations};
use nautes_model::{Kind, RepositoryId};
use proptest::prelude::*;

use crate::golden::{self, PRODUCT, name};
use crate::shop;

#[test]
fn an_entity_is_found_at_any_path() {
    let mut tree = ManifestTree::new(Repository::Product(PRODUCT));
    tree.put_file(
        "envs/other-name.yaml",
        include_str!("../golden/manifests/environment.yaml"),
    );
    let key = shop::key(Kind::Environment, "staging");
    assert_eq!(
        tree.find(&key).map(|(path, _)| path),
        Some("envs/other-name.yaml")
    );
    assert_eq!(tree.get(&key), Some(&Entity::from(golden::environment())));
}

#[test]
fn a_manifest_with_another_file_name_keeps_its_path() {
    let mut tree = ManifestTree::new(Repository::Product(PRODUCT));
    let text = include_str!("../golden/manifests/environment.yaml");
    tree.put_file("envs/other-name.yaml", text);
    tree.put(&golden::environment().into())
        .expect("nothing changes");
    assert_eq!(tree.file("envs/other-name.yaml"), Some(text));
    let mut environment = golden::environment();
    environment.env_type = "live".into();
    tree.put(&environment.into()).expect("its path is its own");
    assert_eq!(
        tree.file("envs/other-name.yaml"),
        Some(text.replace("envType: staging", "envType: live").as_str())
    );
    assert_eq!(tree.files().count(), 1);
}

#[test]
fn a_manifest_moves_when_its_folder_changes() {
    let mut tree = shop::product();
    let mut runtime = shop::pipeline_runtime("checkout-ci");
    runtime.project = name("other");
    tree.put(&runtime.into()).expect("its path is free");
    assert_eq!(tree.file("projects/checkout/checkout-ci.yaml"), None);
    assert!(tree.file("projects/other/checkout-ci.yaml").is_some());
}

#[test]
fn a_code_repository_is_found_by_name_and_by_id() {
    let tree = shop::product();
    assert_eq!(
        tree.code_repo_by_name("deploy").map(|repo| repo.id),
        Some(shop::MANIFESTS)
    );
    assert_eq!(
        tree.code_repo(shop::SOURCE)
            .map(|repo| repo.repo_name.as_str()),
        Some("checkout-src")
    );
    assert!(tree.code_repo_by_name("gone").is_none());
    assert!(tree.code_repo(RepositoryId::new(1)).is_none());
}

#[test]
fn foreign_files_are_kept() {
    let mut tree = ManifestTree::from_files(
        Repository::Product(PRODUCT),
        [
            ("README.md", "# shop"),
            ("templates/a.yaml", "a: [b"),
            ("envs/broken.yaml", "a: [b"),
        ],
    );
    tree.put(&golden::project().into())
        .expect("its path is free");
    assert_eq!(tree.file("README.md"), Some("# shop"));
    assert_eq!(tree.file("envs/broken.yaml"), Some("a: [b"));
    assert_eq!(
        tree.invalid_files()
            .map(|(path, _)| path)
            .collect::<Vec<_>>(),
        ["envs/broken.yaml"]
    );
}

#[test]
fn changes_are_sorted_by_path() {
    let base = shop::product();
    let mut tree = base.clone();
    tree.remove(&shop::key(Kind::DeploymentRuntime, "checkout-staging"));
    tree.put(&shop::environment("live", "deploy-02").into())
        .expect("its path is free");
    let mut project = golden::project();
    project.language = "go".into();
    tree.put(&project.into()).expect("its path is its own");
    tree.update_kustomization();
    let changes: Vec<String> = tree
        .changes_since(&base)
        .into_iter()
        .map(|change| match change {
            FileChange::Created { path, .. } => format!("+ {path}"),
            FileChange::Updated { path, .. } => format!("~ {path}"),
            FileChange::Deleted { path } => format!("- {path}"),
        })
        .collect();
    assert_eq!(
        changes,
        [
            "+ envs/live.yaml",
            "~ production/kustomization.yaml",
            "~ projects/checkout/checkout.yaml",
            "- runtimes/checkout-staging.yaml",
        ]
    );
    assert_eq!(base.changes_since(&base), []);
}

/// Random valid products: their entities, in an order of creation.
fn valid_product() -> impl Strategy<Value = Vec<Entity>> {
    let repository = (any::<bool>(), any::<bool>());
    let sizes = (1_usize..5, 1_usize..4);
    (
        sizes,
        prop::collection::vec(repository, 1..6),
        prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    )
        .prop_map(
            |((projects, environments), repositories, pipelines, deployments)| {
                let project = |index: usize| format!("project-{}", index % projects);
                let mut entities: Vec<Entity> = Vec::new();
                for index in 0..environments {
                    entities.push(
                        shop::environment(&format!("env-{index}"), &format!("cluster-{index}"))
                            .into(),
                    );
                }
                for index in 0..projects {
                    let mut entity = golden::project();
                    entity.name = name(&project(index));
                    entities.push(entity.into());
                }
                let id = |index: usize| RepositoryId::new(1000 + index as u64);
                for (index, (owned, _)) in repositories.iter().enumerate() {
                    let owner = owned.then(|| project(index));
                    entities.push(
                        shop::code_repo(id(index), &format!("repo-{index}-src"), owner.as_deref())
                            .into(),
                    );
                }
                for (index, (owned, whole_product)) in repositories.iter().enumerate() {
                    let grantees: Vec<String> = if *whole_product {
                        Vec::new()
                    } else {
                        (0..projects).map(project).collect()
                    };
                    let grantees: Vec<&str> = grantees.iter().map(String::as_str).collect();
                    if !owned {
                        let text = format!("binding-{index}");
                        entities.push(shop::binding(&text, id(index), &grantees).into());
                    }
                }
                let usable = |choice: &prop::sample::Index, user: usize| {
                    let usable: Vec<usize> = (0..repositories.len())
                        .filter(|index| !repositories[*index].0 || project(*index) == project(user))
                        .collect();
                    (!usable.is_empty()).then(|| id(*choice.get(&usable)))
                };
                for (index, choice) in pipelines.iter().enumerate() {
                    let Some(source) = usable(choice, index) else {
                        continue;
                    };
                    let mut runtime = shop::pipeline_runtime(&format!("ci-{index}"));
                    runtime.project = name(&project(index));
                    runtime.pipeline_source = source;
                    runtime.destination.environment =
                        name(&format!("env-{}", index % environments));
                    let events = runtime.event_sources.get_mut("on-push").expect("it exists");
                    events
                        .gitlab
                        .as_mut()
                        .expect("it is a code repository")
                        .code_repo = source;
                    entities.push(runtime.into());
                }
                for (index, choice) in deployments.iter().enumerate() {
                    let Some(source) = usable(choice, index) else {
                        continue;
                    };
                    let mut runtime = shop::deployment_runtime(&format!("deploy-{index}"));
                    runtime.projects = BTreeSet::from([name(&project(index))]);
                    runtime.manifest_source.code_repo = source;
                    runtime.manifest_source.path = format!("overlays/{index}");
                    runtime.destination.environment =
                        name(&format!("env-{}", index % environments));
                    entities.push(runtime.into());
                }
                entities
            },
        )
}

fn found(tree: &ManifestTree) -> BTreeSet<Violation> {
    violations(tree, &Context::default())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_valid_product_has_no_violations(entities in valid_product()) {
        prop_assert_eq!(found(&shop::tree_of(&entities)), BTreeSet::new());
    }

    #[test]
    fn the_order_of_insertion_makes_no_difference(
        entities in valid_product().prop_shuffle_with_original(),
        removed in any::<prop::sample::Index>(),
    ) {
        let (original, shuffled) = entities;
        let gone = removed.get(&original).key();
        let mut trees = [shop::tree_of(&original), shop::tree_of(&shuffled)];
        for tree in &mut trees {
            tree.remove(&gone);
            tree.update_kustomization();
        }
        let [left, right] = &trees;
        prop_assert_eq!(found(left), found(right));
        prop_assert_eq!(left.changes_since(right), vec![]);
    }

    #[test]
    fn creation_in_order_and_removal_in_reverse_introduce_no_violations(
        entities in valid_product(),
    ) {
        let context = Context::default();
        let mut tree = shop::tree_of(&[]);
        for entity in &entities {
            let before = tree.clone();
            tree.put(entity).expect("its path is free");
            prop_assert_eq!(new_violations(&before, &tree, &context), BTreeSet::new());
        }
        for entity in entities.iter().rev() {
            let before = tree.clone();
            prop_assert!(tree.remove(&entity.key()));
            prop_assert_eq!(new_violations(&before, &tree, &context), BTreeSet::new());
        }
        prop_assert!(tree.is_empty());
    }

    #[test]
    fn putting_an_entity_back_resolves_the_violations_of_its_removal(
        entities in valid_product(),
        removed in any::<prop::sample::Index>(),
    ) {
        let tree = shop::tree_of(&entities);
        let entity = removed.get(&entities);
        let mut without = tree.clone();
        without.remove(&entity.key());
        let violations = new_violations(&tree, &without, &Context::default());
        prop_assert!(violations.iter().all(Violation::may_resolve));
        let mut again = without.clone();
        again.put(entity).expect("its path is free");
        prop_assert_eq!(found(&again), found(&tree));
        prop_assert_eq!(again.changes_since(&tree), vec![]);
    }
}

/// Shuffles a list and returns the original with it.
trait ShuffleWithOriginal: Strategy<Value = Vec<Entity>> + Sized {
    fn prop_shuffle_with_original(self) -> impl Strategy<Value = (Vec<Entity>, Vec<Entity>)> {
        self.prop_flat_map(|entities| (Just(entities.clone()), Just(entities).prop_shuffle()))
    }
}

impl<S: Strategy<Value = Vec<Entity>>> ShuffleWithOriginal for S {}

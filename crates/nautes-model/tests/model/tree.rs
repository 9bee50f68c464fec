//! Trees, and random sound products that are taken apart and put together.

use std::collections::BTreeSet;

use nautes_model::entity::Entity;
use nautes_model::layout::{PRODUCT_KUSTOMIZATION, Repository};
use nautes_model::tree::{FileChange, Kustomization, ManifestTree};
use nautes_model::validation::{Context, Violation, introduced_by, violations};
use nautes_model::{Kind, RepositoryId};
use proptest::prelude::*;

use crate::golden::{self, PRODUCT, name};
use crate::shop;

#[test]
fn an_entity_is_found_wherever_it_lies() {
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
fn an_entity_keeps_the_place_in_which_it_was_found() {
    let mut tree = ManifestTree::new(Repository::Product(PRODUCT));
    let text = include_str!("../golden/manifests/environment.yaml");
    tree.put_file("envs/other-name.yaml", text);
    tree.put(&golden::environment().into())
        .expect("nothing changes");
    assert_eq!(tree.file("envs/other-name.yaml"), Some(text));
    let mut environment = golden::environment();
    environment.env_type = "live".into();
    tree.put(&environment.into()).expect("its place is its own");
    assert_eq!(
        tree.file("envs/other-name.yaml"),
        Some(text.replace("envType: staging", "envType: live").as_str())
    );
    assert_eq!(tree.files().count(), 1);
}

#[test]
fn an_entity_moves_with_the_folder_that_it_belongs_to() {
    let mut tree = shop::product();
    let mut runtime = shop::pipeline_runtime("checkout-ci");
    runtime.project = name("other");
    tree.put(&runtime.into()).expect("its place is free");
    assert_eq!(tree.file("projects/checkout/checkout-ci.yaml"), None);
    assert!(tree.file("projects/other/checkout-ci.yaml").is_some());
}

#[test]
fn a_repository_is_found_by_name_and_by_id() {
    let tree = shop::product();
    assert_eq!(
        tree.code_repo_named("deploy").map(|repo| repo.id),
        Some(shop::MANIFESTS)
    );
    assert_eq!(
        tree.code_repo(shop::SOURCE)
            .map(|repo| repo.repo_name.as_str()),
        Some("checkout-src")
    );
    assert!(tree.code_repo_named("gone").is_none());
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
        .expect("its place is free");
    assert_eq!(tree.file("README.md"), Some("# shop"));
    assert_eq!(tree.file("envs/broken.yaml"), Some("a: [b"));
    assert_eq!(
        tree.broken_files()
            .map(|(path, _)| path)
            .collect::<Vec<_>>(),
        ["envs/broken.yaml"]
    );
}

#[test]
fn changes_are_listed_by_path() {
    let base = shop::product();
    let mut tree = base.clone();
    tree.remove(&shop::key(Kind::DeploymentRuntime, "checkout-staging"));
    tree.put(&shop::environment("live", "deploy-02").into())
        .expect("its place is free");
    let mut project = golden::project();
    project.language = "go".into();
    tree.put(&project.into()).expect("its place is its own");
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

#[test]
fn entries_are_in_the_order_of_a_walk() {
    let mut tree = ManifestTree::new(Repository::Product(PRODUCT));
    for project in ["a", "a-b", "a.b"] {
        let mut entity = golden::project();
        entity.name = name(project);
        tree.put(&entity.into()).expect("its place is free");
    }
    let mut runtime = golden::pipeline_runtime();
    runtime.project = name("a");
    tree.put(&runtime.into()).expect("its place is free");
    assert!(tree.kustomization().ends_with(
        "resources:\n- ../projects/a/a.yaml\n- ../projects/a/checkout-ci.yaml\n\
         - ../projects/a-b/a-b.yaml\n- ../projects/a.b/a.b.yaml\n"
    ));
}

#[test]
fn the_tenant_lists_its_clusters_by_file() {
    let tree = shop::tenant();
    assert!(
        tree.kustomization()
            .ends_with("resources:\n- build-01.yaml\n- deploy-01.yaml\n- host-01.yaml\n")
    );
    assert!(tree.lists(&shop::key(Kind::Cluster, "host-01")));
}

#[test]
fn a_kustomization_that_lists_the_same_is_left_alone() {
    let mut tree = shop::product();
    let text = tree.file(PRODUCT_KUSTOMIZATION).expect("it is there");
    let (mut entries, head): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with('-'));
    entries.reverse();
    let text = [head, entries].concat().join("\n");
    tree.put_file(PRODUCT_KUSTOMIZATION, text.clone());
    tree.update_kustomization();
    assert_eq!(tree.file(PRODUCT_KUSTOMIZATION), Some(text.as_str()));
}

#[test]
fn what_a_kustomization_lists_is_compared_with_what_is_there() {
    let mut tree = shop::product();
    let key = shop::key(Kind::Environment, "staging");
    assert!(tree.lists(&key));
    let text = tree
        .file(PRODUCT_KUSTOMIZATION)
        .expect("it is there")
        .replace("envs/staging.yaml", "envs/gone.yaml");
    tree.put_file(PRODUCT_KUSTOMIZATION, text);
    assert!(!tree.lists(&key));
    assert_eq!(
        tree.surplus_kustomization_entries(),
        BTreeSet::from(["../envs/gone.yaml".to_owned()])
    );
    tree.update_kustomization();
    assert!(tree.lists(&key));
    tree.remove_file(PRODUCT_KUSTOMIZATION);
    assert!(!tree.lists(&key));
}

#[test]
fn a_kustomization_lists_kinds_that_the_model_does_not_know_but_no_garbage() {
    let mut tree = ManifestTree::new(Repository::Product(PRODUCT));
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n";
    tree.put_file("artifact-repos/a/a.yaml", secret);
    tree.put_file("envs/broken.yaml", "a: [b");
    tree.put_file("envs/note.txt", "text");
    let listed = Kustomization::parse(&tree.kustomization())
        .expect("it is one")
        .resources;
    assert_eq!(
        listed,
        BTreeSet::from(["../artifact-repos/a/a.yaml".to_owned()])
    );
}

#[test]
fn a_kustomization_that_is_none_is_refused() {
    assert!(Kustomization::parse("a: [b").is_err());
    assert!(Kustomization::parse("resources: a").is_err());
    assert_eq!(
        Kustomization::parse("").expect("it lists nothing"),
        Kustomization::default()
    );
}

/// The entities of a random sound product, in an order of creation.
fn sound_product() -> impl Strategy<Value = Vec<Entity>> {
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
                    let events = runtime
                        .event_sources
                        .get_mut("on-push")
                        .expect("it is there");
                    events
                        .gitlab
                        .as_mut()
                        .expect("it is a repository's")
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
    fn a_sound_product_breaks_no_rule(entities in sound_product()) {
        prop_assert_eq!(found(&shop::tree_of(&entities)), BTreeSet::new());
    }

    #[test]
    fn the_order_of_insertion_makes_no_difference(
        entities in sound_product().prop_shuffle_with_original(),
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
    fn creation_in_order_and_destruction_in_reverse_break_nothing(entities in sound_product()) {
        let context = Context::default();
        let mut tree = shop::tree_of(&[]);
        for entity in &entities {
            let before = tree.clone();
            tree.put(entity).expect("its place is free");
            prop_assert_eq!(introduced_by(&before, &tree, &context), BTreeSet::new());
        }
        for entity in entities.iter().rev() {
            let before = tree.clone();
            prop_assert!(tree.remove(&entity.key()));
            prop_assert_eq!(introduced_by(&before, &tree, &context), BTreeSet::new());
        }
        prop_assert!(tree.is_empty());
    }

    #[test]
    fn what_is_put_back_mends_what_its_removal_broke(
        entities in sound_product(),
        removed in any::<prop::sample::Index>(),
    ) {
        let tree = shop::tree_of(&entities);
        let entity = removed.get(&entities);
        let mut without = tree.clone();
        without.remove(&entity.key());
        let broken = introduced_by(&tree, &without, &Context::default());
        prop_assert!(broken.iter().all(Violation::curable_by_another_change));
        let mut again = without.clone();
        again.put(entity).expect("its place is free");
        prop_assert_eq!(found(&again), found(&tree));
        prop_assert_eq!(again.changes_since(&tree), vec![]);
    }
}

/// Shuffles a list and keeps the original beside it.
trait ShuffleWithOriginal: Strategy<Value = Vec<Entity>> + Sized {
    fn prop_shuffle_with_original(self) -> impl Strategy<Value = (Vec<Entity>, Vec<Entity>)> {
        self.prop_flat_map(|entities| (Just(entities.clone()), Just(entities).prop_shuffle()))
    }
}

impl<S: Strategy<Value = Vec<Entity>>> ShuffleWithOriginal for S {}

use nautes_model::entity::{
    CodeRepo, CodeRepoBinding, DeploymentDestination, DeploymentRuntime, Entity, Environment,
    ManifestSource, Permissions, Project,
};
use nautes_model::layout::Repository;
use nautes_model::validation::{Context, violations};
use nautes_model::{EntityName, Kind, ProductId, RepositoryId};
use proptest::prelude::*;
use std::collections::BTreeMap;

use super::super::change::{Action, PutMode};
use super::*;

const PRODUCT: ProductId = ProductId::new(41);

fn name(name: &str) -> EntityName {
    EntityName::new(name).unwrap()
}

fn environment(of: &str, cluster: &str) -> Entity {
    Entity::Environment(Environment {
        product: PRODUCT,
        name: name(of),
        cluster: name(cluster),
        env_type: "test".into(),
    })
}

fn project(of: &str, language: &str) -> Entity {
    Entity::Project(Project {
        product: PRODUCT,
        name: name(of),
        language: language.into(),
    })
}

fn code_repo(id: u64, project: Option<&str>) -> Entity {
    Entity::CodeRepo(CodeRepo {
        product: PRODUCT,
        id: RepositoryId::new(id),
        repo_name: format!("source-{id}"),
        project: project.map(name),
        code_repo_provider: "gitlab-nautes".into(),
        deployment_runtime: false,
        pipeline_runtime: false,
        webhook_events: None,
        url: None,
    })
}

fn binding(of: &str, code_repo: u64, project: &str) -> Entity {
    Entity::CodeRepoBinding(CodeRepoBinding {
        product: PRODUCT,
        name: name(of),
        code_repo: RepositoryId::new(code_repo),
        projects: [name(project)].into(),
        permissions: Permissions::ReadOnly,
    })
}

fn runtime(of: &str, environment: &str, project: &str, code_repo: u64) -> Entity {
    Entity::DeploymentRuntime(DeploymentRuntime {
        product: PRODUCT,
        name: name(of),
        projects: [name(project)].into(),
        manifest_source: ManifestSource {
            code_repo: RepositoryId::new(code_repo),
            target_revision: "main".into(),
            path: format!("deploy/{of}"),
        },
        destination: DeploymentDestination {
            environment: name(environment),
            namespaces: vec![],
        },
        account: None,
    })
}

fn tree(entities: &[Entity]) -> ManifestTree {
    let mut tree = ManifestTree::new(Repository::Product(PRODUCT));
    for entity in entities {
        tree.put(entity).unwrap();
    }
    tree.update_kustomization();
    tree
}

fn rules(tree: &ManifestTree) -> BTreeSet<Violation> {
    violations(tree, &Context::default())
}

fn compose(base: &ManifestTree, changes: &[Change]) -> Composition {
    let created = Created::new();
    let format = ObjectFormat::from_id("");
    Composer {
        base,
        created: &created,
        format,
        violations: rules,
    }
    .compose(changes)
}

fn create(entity: Entity) -> Change {
    Change::put(entity, PutMode::Create, Validation::Full)
}

fn update(entity: Entity) -> Change {
    Change::put(entity, PutMode::Update(None), Validation::Full)
}

fn delete(kind: Kind, of: &str) -> Change {
    Change::delete(EntityKey::new(kind, name(of)), Validation::Full)
}

fn accepted(composition: &Composition) -> Vec<bool> {
    composition.outcomes.iter().map(Result::is_ok).collect()
}

fn dry_run(entity: Entity) -> Change {
    create(entity).into_dry_run()
}

#[test]
fn a_dry_run_is_judged_beside_the_changes_of_its_batch_and_leaves_nothing() {
    let base = tree(&[]);
    let repo = code_repo(0, Some("shop"));
    let changes = [dry_run(repo.clone()), create(project("shop", "rust"))];
    let composition = compose(&base, &changes);
    assert_eq!(accepted(&composition), [true; 2]);
    let expected = tree(&[project("shop", "rust")]);
    assert!(composition.tree.changes_since(&expected).is_empty());

    let alone = compose(&base, &[dry_run(repo)]);
    let [Err(Error::Refused { violations, .. })] = &alone.outcomes[..] else {
        panic!("{:?}", alone.outcomes)
    };
    assert_eq!(violations.len(), 1);
    assert!(alone.tree.changes_since(&base).is_empty());
}

#[test]
fn a_dry_run_stands_in_the_way_of_no_change() {
    let base = tree(&[project("shop", "rust")]);
    let changes = [
        delete(Kind::Project, "shop"),
        dry_run(code_repo(0, Some("shop"))),
        dry_run(project("shop", "rust")),
        create(binding("open", 0, "shop")),
    ];
    assert_eq!(
        accepted(&compose(&base, &changes)),
        [true, false, true, false]
    );
}

#[test]
fn an_accepted_dry_run_does_not_even_repair_the_kustomization() {
    let mut base = tree(&[project("shop", "rust")]);
    base.remove_file(base.repository().kustomization_path());
    let composition = compose(&base, &[dry_run(code_repo(0, Some("shop")))]);
    assert_eq!(accepted(&composition), [true]);
    assert!(composition.tree.changes_since(&base).is_empty());
}

#[test]
fn a_dry_run_without_validation_still_sees_what_exists() {
    let base = tree(&[environment("dev", "a")]);
    let unvalidated =
        |entity| Change::put(entity, PutMode::Create, Validation::Skip).into_dry_run();
    let changes = [
        unvalidated(code_repo(0, Some("missing"))),
        unvalidated(environment("dev", "b")),
    ];
    let composition = compose(&base, &changes);
    assert!(matches!(
        composition.outcomes[..],
        [Ok(()), Err(Error::Exists { .. })]
    ));
}

#[test]
fn what_needs_each_other_is_accepted_in_any_order() {
    let base = tree(&[]);
    let changes = [
        create(runtime("live", "prod", "shop", 1)),
        create(binding("open", 1, "shop")),
        create(code_repo(1, None)),
        create(environment("prod", "a")),
        create(project("shop", "rust")),
    ];
    assert_eq!(accepted(&compose(&base, &changes)), [true; 5]);
}

#[test]
fn what_is_refused_with_another_is_taken_back_when_the_other_is() {
    let base = tree(&[environment("prod", "a"), project("shop", "rust")]);
    let changes = [
        create(binding("open", 1, "other")),
        create(runtime("live", "prod", "shop", 1)),
        create(code_repo(1, None)),
        create(project("other", "")),
    ];
    let composition = compose(&base, &changes);
    assert_eq!(accepted(&composition), [true, false, true, true]);
}

#[test]
fn two_environments_can_swap_their_clusters() {
    let base = tree(&[environment("a", "x"), environment("b", "y")]);
    let changes = [update(environment("a", "y")), update(environment("b", "x"))];
    assert_eq!(accepted(&compose(&base, &changes)), [true; 2]);
}

#[test]
fn of_two_that_exclude_each_other_the_first_is_accepted() {
    let changes = [create(environment("a", "x")), create(environment("b", "x"))];
    let composition = compose(&tree(&[]), &changes);
    assert_eq!(accepted(&composition), [true, false]);
    assert!(composition.outcomes[1].as_ref().unwrap_err().may_resolve());
}

#[test]
fn a_change_at_fault_does_not_keep_the_others() {
    let changes = [
        create(environment("a", "x")),
        create(binding("open", 1, "missing")),
        create(project("shop", "")),
    ];
    assert_eq!(
        accepted(&compose(&tree(&[]), &changes)),
        [true, false, true]
    );
}

#[test]
fn a_deletion_is_refused_while_something_refers_to_its_entity() {
    let base = tree(&[project("shop", ""), code_repo(1, Some("shop"))]);
    let composition = compose(&base, &[delete(Kind::Project, "shop")]);
    let refusal = composition.outcomes[0].as_ref().unwrap_err();
    assert!(matches!(refusal, Error::Refused { violations, .. } if violations.len() == 1));
    let both = [
        delete(Kind::Project, "shop"),
        delete(Kind::CodeRepo, "repo-1"),
    ];
    assert_eq!(accepted(&compose(&base, &both)), [true; 2]);
}

#[test]
fn the_deletion_of_a_binding_is_refused_for_the_runtime_that_needs_it() {
    let base = tree(&[
        project("shop", ""),
        environment("prod", "a"),
        code_repo(1, None),
        binding("open", 1, "shop"),
        runtime("live", "prod", "shop", 1),
    ]);
    let changes = [
        delete(Kind::CodeRepoBinding, "open"),
        create(project("other", "")),
    ];
    assert_eq!(accepted(&compose(&base, &changes)), [false, true]);
}

#[test]
fn a_violation_that_was_there_before_is_tolerated() {
    let base = tree(&[code_repo(1, Some("missing"))]);
    assert_eq!(
        accepted(&compose(&base, &[create(environment("a", "x"))])),
        [true]
    );
}

#[test]
fn a_change_without_validation_is_made_and_others_are_still_validated() {
    let base = tree(&[
        environment("prod", "a"),
        project("shop", ""),
        code_repo(1, Some("shop")),
    ]);
    let unchecked = Change::delete(
        EntityKey::new(Kind::Project, name("shop")),
        Validation::Skip,
    );
    let changes = [unchecked, create(binding("open", 1, "shop"))];
    assert_eq!(accepted(&compose(&base, &changes)), [true, false]);
}

#[test]
fn an_equal_manifest_is_taken_over_and_a_different_one_is_not() {
    let base = tree(&[environment("a", "x")]);
    let same = compose(&base, &[create(environment("a", "x"))]);
    assert_eq!(accepted(&same), [true]);
    assert!(same.tree.changes_since(&base).is_empty());
    let other = compose(&base, &[create(environment("a", "y"))]);
    let Err(Error::Exists { differences, .. }) = &other.outcomes[0] else {
        panic!("{:?}", other.outcomes)
    };
    assert_eq!(differences, &["spec.cluster"]);
}

#[test]
fn a_deletion_leaves_alone_what_another_request_has_created() {
    let base = tree(&[environment("a", "x")]);
    let changes = [
        create(environment("a", "x")),
        delete(Kind::Environment, "a"),
    ];
    let composition = compose(&base, &changes);
    assert_eq!(accepted(&composition), [true; 2]);
    assert!(composition.tree.changes_since(&base).is_empty());
}

#[test]
fn what_another_writer_changed_is_neither_overwritten_nor_deleted() {
    let seen = tree(&[environment("a", "x")]);
    let now = tree(&[environment("a", "y")]);
    for mut change in [
        update(environment("a", "z")),
        delete(Kind::Environment, "a"),
    ] {
        change.pin(&seen, &Created::new(), ObjectFormat::from_id(""));
        let composition = compose(&now, &[change.clone()]);
        assert!(
            matches!(composition.outcomes[0], Err(Error::Changed { .. })),
            "{change:?}"
        );
    }
    let mut agreed = update(environment("a", "y"));
    agreed.pin(&seen, &Created::new(), ObjectFormat::from_id(""));
    assert_eq!(accepted(&compose(&now, &[agreed])), [true]);
}

#[test]
fn an_update_repairs_a_manifest_that_cannot_be_read() {
    let mut base = tree(&[environment("a", "x")]);
    base.put_file("envs/a.yaml", "kind: [");
    let composition = compose(&base, &[update(environment("a", "x"))]);
    assert_eq!(accepted(&composition), [true]);
    assert!(composition.tree.is_listed(&environment("a", "x").key()));
    let deleted = compose(&base, &[delete(Kind::Environment, "a")]);
    assert_eq!(deleted.tree.file("envs/a.yaml"), None);
}

#[test]
fn saving_an_entity_again_lists_it_again() {
    let mut base = tree(&[environment("a", "x")]);
    let kustomization = base.kustomization().replace("- ../envs/a.yaml\n", "");
    base.put_file(
        Repository::Product(PRODUCT).kustomization_path(),
        kustomization,
    );
    assert!(!base.is_listed(&environment("a", "x").key()));
    let composition = compose(&base, &[update(environment("a", "x"))]);
    assert!(composition.tree.is_listed(&environment("a", "x").key()));
}

#[test]
fn a_first_day_repository_gets_a_kustomization() {
    let empty = ManifestTree::new(Repository::Product(PRODUCT));
    let composition = compose(&empty, &[Change::initialize()]);
    let path = Repository::Product(PRODUCT).kustomization_path();
    assert!(composition.tree.file(path).is_some());
    let again = compose(&composition.tree, &[Change::initialize()]);
    assert!(again.tree.changes_since(&composition.tree).is_empty());
}

fn any_entity() -> impl Strategy<Value = Entity> {
    let names = prop::sample::select(vec!["a", "b", "c"]);
    let clusters = prop::sample::select(vec!["x", "y", "z"]);
    prop_oneof![
        (names.clone(), clusters).prop_map(|(name, cluster)| environment(name, cluster)),
        (names.clone(), names.clone()).prop_map(|(name, language)| project(name, language)),
        (1..3_u64, prop::option::of(names.clone())).prop_map(|(id, of)| code_repo(id, of)),
        (names.clone(), 1..3_u64, names.clone()).prop_map(|(name, id, project)| binding(
            &format!("{name}-{id}"),
            id,
            project
        )),
        (names.clone(), names.clone(), names, 1..3_u64)
            .prop_map(|(name, environment, project, id)| runtime(name, environment, project, id)),
    ]
}

fn any_change() -> impl Strategy<Value = Change> {
    (any_entity(), 0..3_u8).prop_map(|(entity, what)| match what {
        0 => create(entity),
        1 => update(entity),
        _ => Change::delete(entity.key(), Validation::Full),
    })
}

fn any_tree() -> impl Strategy<Value = ManifestTree> {
    prop::collection::vec(any_entity(), 0..8).prop_map(|entities| {
        let changes: Vec<_> = entities.into_iter().map(update).collect();
        compose(&tree(&[]), &changes).tree
    })
}

/// The entities after the changes, found without trees: each change as one step on a map.
fn one_after_the_other(base: &ManifestTree, changes: &[&Change]) -> BTreeMap<EntityKey, Entity> {
    let mut entities: BTreeMap<_, _> = base
        .entities()
        .map(|entity| (entity.key(), entity.clone()))
        .collect();
    let mut created = BTreeSet::new();
    for change in changes {
        match &change.action {
            Action::Create(entity) => {
                created.insert(entity.key());
                entities.insert(entity.key(), (**entity).clone());
            }
            Action::Update(entity) => {
                entities.insert(entity.key(), (**entity).clone());
            }
            Action::Delete(key) if created.contains(key) => {}
            Action::Delete(key) => {
                entities.remove(key);
            }
            Action::Initialize => {}
        }
    }
    entities
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_batch_makes_what_its_accepted_changes_make_one_after_the_other(
        base in any_tree(),
        changes in prop::collection::vec(any_change(), 1..8),
    ) {
        let composition = compose(&base, &changes);
        let outcomes = changes.iter().zip(&composition.outcomes);
        let accepted: Vec<_> =
            outcomes.filter(|(_, outcome)| outcome.is_ok()).map(|(change, _)| change).collect();
        let entities: BTreeMap<_, _> =
            composition.tree.entities().map(|entity| (entity.key(), entity.clone())).collect();
        prop_assert_eq!(entities, one_after_the_other(&base, &accepted));
    }

    #[test]
    fn a_batch_breaks_no_rule_that_was_kept_before(
        base in any_tree(),
        changes in prop::collection::vec(any_change(), 1..8),
    ) {
        let composition = compose(&base, &changes);
        prop_assert!(rules(&composition.tree).is_subset(&rules(&base)));
    }

    #[test]
    fn what_is_refused_cannot_be_made_after_the_batch_either(
        base in any_tree(),
        changes in prop::collection::vec(any_change(), 1..8),
    ) {
        let composition = compose(&base, &changes);
        for (change, outcome) in changes.iter().zip(&composition.outcomes) {
            if matches!(outcome, Err(Error::Refused { .. })) {
                prop_assert_eq!(accepted(&compose(&composition.tree, std::slice::from_ref(change))), [false]);
            }
        }
    }

    #[test]
    fn what_is_accepted_one_by_one_is_accepted_together(
        base in any_tree(),
        changes in prop::collection::vec(any_change(), 1..8),
    ) {
        let mut tree = base.clone();
        let mut kept = Vec::new();
        let mut touched = BTreeSet::new();
        for change in changes {
            // An entity that a batch creates is not deleted by it, unlike by a later process.
            if !touched.insert(change.key()) {
                continue;
            }
            let step = compose(&tree, std::slice::from_ref(&change));
            if step.outcomes[0].is_ok() {
                tree = step.tree;
                kept.push(change);
            }
        }
        let together = compose(&base, &kept);
        prop_assert!(together.outcomes.iter().all(Result::is_ok));
        prop_assert!(together.tree.changes_since(&tree).is_empty());
    }
}

#[test]
fn an_equal_manifest_that_is_taken_over_moves_to_the_path_of_its_entity() {
    let project = project("shop", "rust");
    let mut base = tree(std::slice::from_ref(&project));
    let planned = "projects/shop/shop.yaml";
    let text = format!("# By hand\n{}", base.file(planned).unwrap());
    base.remove_file(planned);
    base.put_file("projects/shop/by-hand.yaml", text.clone());
    let composition = compose(&base, &[create(project)]);
    assert_eq!(accepted(&composition), [true]);
    assert_eq!(composition.tree.file(planned), Some(text.as_str()));
    assert_eq!(composition.tree.file("projects/shop/by-hand.yaml"), None);
}

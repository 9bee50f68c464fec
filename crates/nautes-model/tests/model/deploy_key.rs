//! Which deploy keys are enabled where.

use std::collections::BTreeSet;

use nautes_model::RepositoryId;
use nautes_model::deploy_key::enabled_keys;
use nautes_model::entity::{Entity, Permissions};

use crate::golden;
use crate::shop::{binding, code_repo, tree_of};

const A: RepositoryId = RepositoryId::new(1);
const B: RepositoryId = RepositoryId::new(2);
const C: RepositoryId = RepositoryId::new(3);

/// Three repositories, of which the first two have one owner, and bindings.
fn enabled_on(opened: RepositoryId, bindings: Vec<Entity>) -> Vec<String> {
    let mut entities = vec![
        golden::project().into(),
        code_repo(A, "a", Some("checkout")).into(),
        code_repo(B, "b", Some("checkout")).into(),
        code_repo(C, "c", None).into(),
    ];
    entities.extend(bindings);
    let enabled = enabled_keys(&tree_of(&entities));
    enabled[&opened].iter().map(ToString::to_string).collect()
}

#[test]
fn a_repository_has_its_own_keys_and_those_of_its_project() {
    assert_eq!(
        enabled_on(A, vec![]),
        [
            "repo-1-readonly",
            "repo-1-readwrite",
            "repo-2-readonly",
            "repo-2-readwrite"
        ]
    );
    assert_eq!(
        enabled_on(C, vec![]),
        ["repo-3-readonly", "repo-3-readwrite"]
    );
}

#[test]
fn a_binding_adds_the_key_that_it_allows() {
    let read = || binding("read", C, &["checkout"]);
    let mut write = binding("write", C, &[]);
    write.permissions = Permissions::ReadWrite;
    assert_eq!(
        enabled_on(C, vec![read().into()]),
        [
            "repo-1-readonly",
            "repo-2-readonly",
            "repo-3-readonly",
            "repo-3-readwrite"
        ]
    );
    assert_eq!(
        enabled_on(C, vec![write.clone().into()]),
        [
            "repo-1-readwrite",
            "repo-2-readwrite",
            "repo-3-readonly",
            "repo-3-readwrite"
        ]
    );
    assert_eq!(enabled_on(C, vec![read().into(), write.into()]).len(), 6);
}

#[test]
fn a_binding_to_a_project_leaves_out_repositories_without_one() {
    assert_eq!(
        enabled_on(A, vec![binding("b", A, &["checkout"]).into()]).len(),
        4
    );
    let open_to_all = enabled_on(A, vec![binding("b", A, &[]).into()]);
    assert!(open_to_all.contains(&"repo-3-readonly".to_owned()));
}

#[test]
fn a_binding_of_what_does_not_exist_opens_nothing() {
    let entities = [binding("b", A, &[]).into()];
    assert_eq!(
        enabled_keys(&tree_of(&entities))
            .keys()
            .collect::<BTreeSet<_>>(),
        BTreeSet::new()
    );
}

//! Carrying a difference between two trees over to a third one.

use nautes_model::tree::{FileChange, ManifestTree};

/// Tells what a branch would hold without our own commits.
///
/// `actual` is a tree that holds work of ours which `origin` does not hold; `moved` is the same
/// branch later. A file that is still as we left it counts as it is in `origin`; what others wrote
/// counts as they wrote it.
pub(super) fn rebase(
    origin: &ManifestTree,
    actual: &ManifestTree,
    moved: &ManifestTree,
) -> ManifestTree {
    let mut tree = moved.clone();
    for change in actual.changes_since(origin) {
        let (FileChange::Created { path, .. }
        | FileChange::Updated { path, .. }
        | FileChange::Deleted { path }) = change;
        if moved.file(path) != actual.file(path) {
            continue;
        }
        match origin.file(path) {
            Some(text) => tree.put_file(path, text),
            None => {
                tree.remove_file(path);
            }
        }
    }
    tree
}

/// Makes in a third tree the changes that lead from one tree to another.
pub(super) fn carry_over(
    from: &ManifestTree,
    to: &ManifestTree,
    onto: &ManifestTree,
) -> ManifestTree {
    let mut tree = onto.clone();
    for change in to.changes_since(from) {
        match change {
            FileChange::Created { path, text } | FileChange::Updated { path, text } => {
                tree.put_file(path, text);
            }
            FileChange::Deleted { path } => {
                tree.remove_file(path);
            }
        }
    }
    tree
}

#[cfg(test)]
mod tests {
    use nautes_model::ProductId;
    use nautes_model::layout::Repository;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> ManifestTree {
        let repository = Repository::Product(ProductId::new(1));
        ManifestTree::from_files(repository, files.iter().copied())
    }

    #[test]
    fn without_work_of_ours_it_is_the_branch_as_it_is() {
        let before = tree(&[("a", "1")]);
        let after = tree(&[("a", "2"), ("b", "1")]);
        assert!(
            rebase(&before, &before, &after)
                .changes_since(&after)
                .is_empty()
        );
    }

    #[test]
    fn our_work_is_left_out_and_that_of_others_stays() {
        let origin = tree(&[("changed", "1"), ("deleted", "1"), ("both", "1")]);
        let actual = tree(&[("changed", "ours"), ("created", "ours"), ("both", "ours")]);
        let moved = tree(&[
            ("changed", "ours"),
            ("created", "ours"),
            ("both", "theirs"),
            ("new", "theirs"),
        ]);
        let expected = tree(&[
            ("changed", "1"),
            ("deleted", "1"),
            ("both", "theirs"),
            ("new", "theirs"),
        ]);
        assert!(
            rebase(&origin, &actual, &moved)
                .changes_since(&expected)
                .is_empty()
        );
    }

    #[test]
    fn a_difference_is_carried_over() {
        let from = tree(&[("changed", "1"), ("deleted", "1")]);
        let to = tree(&[("changed", "2"), ("created", "2")]);
        let onto = tree(&[("changed", "1"), ("deleted", "1"), ("other", "1")]);
        let expected = tree(&[("changed", "2"), ("created", "2"), ("other", "1")]);
        assert!(
            carry_over(&from, &to, &onto)
                .changes_since(&expected)
                .is_empty()
        );
    }
}

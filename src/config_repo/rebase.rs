//! Carrying a difference between two trees over to a third one.

use nautes_model::tree::{FileChange, ManifestTree};

/// Returns what a branch would hold without our own commits.
///
/// `head` holds changes of ours that `base` does not hold; `later` is the same branch afterwards.
/// A file that is still as we left it is as in `base`; one that others wrote is as they wrote it.
pub(super) fn rebase(
    base: &ManifestTree,
    head: &ManifestTree,
    later: &ManifestTree,
) -> ManifestTree {
    let mut tree = later.clone();
    for change in head.changes_since(base) {
        let (FileChange::Created { path, .. }
        | FileChange::Updated { path, .. }
        | FileChange::Deleted { path }) = change;
        if later.file(path) != head.file(path) {
            continue;
        }
        match base.file(path) {
            Some(text) => tree.put_file(path, text),
            None => {
                tree.remove_file(path);
            }
        }
    }
    tree
}

/// Applies the difference between two trees to a third one.
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

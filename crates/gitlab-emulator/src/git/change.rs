//! Differences between two commits, entry by entry.

use std::ops::ControlFlow;

use gix::ObjectId;
use gix::diff::blob::pipeline::{Mode, WorktreeRoots};
use gix::diff::tree_with_rewrites::Change;
use gix::diff::{Options, Rewrites};
use gix::error::ResultExt;
use gix::objs::TreeRefIter;
use gix::worktree::stack::state::attributes::Source;

use super::error::{Context, Error};
use super::repository::Repository;

/// Whether to detect renames, which requires reading files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renames {
    /// A rename is a deletion and an addition.
    Apart,
    /// Renames are detected by similarity, as in git.
    Found,
}

impl Repository {
    /// Returns the entries that differ, folders included; `None` is an empty tree.
    ///
    /// Does the same as `gix::Repository::diff_tree_to_tree`, except that attributes are ignored:
    /// to find them, every call of that function reads the whole tree of HEAD, and repositories
    /// here have none.
    pub(super) fn changes(
        &self,
        from: Option<ObjectId>,
        to: ObjectId,
        renames: Renames,
    ) -> Result<Vec<Change>, Error> {
        let action = "compare trees";
        let old = match from {
            Some(from) => self.root_tree(from)?,
            None => self.git.empty_tree(),
        };
        let new = self.root_tree(to)?;
        let no_files = gix::index::State::new(self.git.object_hash());
        let attributes = self
            .git
            .attributes_only(&no_files, Source::IdMapping)
            .context(action)?
            .detach();
        let mut cache =
            gix::diff::resource_cache(&self.git, Mode::ToGit, attributes, WorktreeRoots::default())
                .context(action)?;
        let rewrites = match renames {
            Renames::Apart => None,
            Renames::Found => Some(Rewrites::default()),
        };
        let hash = self.git.object_hash();
        let mut changes = Vec::new();
        gix::diff::tree_with_rewrites(
            TreeRefIter::from_bytes(&old.data, hash),
            TreeRefIter::from_bytes(&new.data, hash),
            &mut cache,
            &mut gix::diff::tree::State::default(),
            &self.git.objects,
            |change| {
                changes.push(change.into_owned());
                Ok(ControlFlow::Continue(()))
            },
            Options::default().with_rewrites(rewrites).into(),
        )
        .or_error()
        .context(action)?;
        Ok(changes)
    }
}

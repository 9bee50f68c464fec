//! What differs between two commits, entry by entry.

use std::ops::ControlFlow;

use gix::ObjectId;
use gix::diff::blob::pipeline::{Mode, WorktreeRoots};
use gix::diff::tree_with_rewrites::Change;
use gix::diff::{Options, Rewrites};
use gix::error::ResultExt;
use gix::objs::TreeRefIter;
use gix::worktree::stack::state::attributes::Source;

use super::error::{Attempt, Error};
use super::repository::Repository;

/// Whether renames are found, which takes reading files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renames {
    /// They are an addition and a deletion.
    Apart,
    /// They are found by similarity, as git does.
    Found,
}

impl Repository {
    /// The entries that differ, folders included; `None` stands for nothing at all.
    ///
    /// This is what `gix::Repository::diff_tree_to_tree` does, but for attributes: there, every call
    /// reads the whole tree of HEAD to find them, and here there are none.
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
            .attempt(action)?
            .detach();
        let mut cache =
            gix::diff::resource_cache(&self.git, Mode::ToGit, attributes, WorktreeRoots::default())
                .attempt(action)?;
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
        .attempt(action)?;
        Ok(changes)
    }
}

//! Commit order, and the last commit that touched a path.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::revision::walk::Sorting;
use gix::traverse::commit::simple::CommitTimeOrder;

use super::change::Renames;
use super::error::{Context, Error};
use super::repository::Repository;

/// The paths that each commit touched. Commits never change, so entries stay valid. Without this
/// cache every `last_commit_id` would compare trees all the way down the history.
#[derive(Debug, Default)]
pub(super) struct History {
    touched: Mutex<HashMap<ObjectId, Arc<Touched>>>,
}

/// The paths, folders included, that differ between a commit and each of its parents. A root commit
/// has a single entry, with parent `None` and all its paths.
#[derive(Debug)]
struct Touched {
    against: Vec<(Option<ObjectId>, HashSet<String>)>,
}

/// Selects commits of a listing.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only commits that touched this path.
    pub path: Option<String>,
    /// Only commits at or after this time, in seconds since 1970.
    pub since: Option<i64>,
    /// Only commits at or before this time.
    pub until: Option<i64>,
    /// Only commits whose author's name or email contains this.
    pub author: Option<String>,
    /// Whether to follow only the first parent of merges.
    pub is_first_parent: bool,
}

impl Repository {
    /// Returns the newest commit that touched a path, starting at `commit`; `None` if none did.
    pub fn last_commit(&self, commit: ObjectId, path: &str) -> Result<Option<ObjectId>, Error> {
        let path = path.trim_matches('/');
        let mut current = commit;
        loop {
            let touched = self.touched(current)?;
            // As in git, a parent with the same content at the path has its whole history.
            let untouched_against = touched
                .against
                .iter()
                .find(|(_, paths)| !path.is_empty() && !paths.contains(path));
            match untouched_against {
                Some((Some(parent), _)) => current = *parent,
                Some((None, _)) => return Ok(None),
                None => return Ok(Some(current)),
            }
        }
    }

    fn touched(&self, commit: ObjectId) -> Result<Arc<Touched>, Error> {
        let cache = &self.history_cache().touched;
        if let Some(touched) = cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&commit)
        {
            return Ok(Arc::clone(touched));
        }
        let found = self.git.find_commit(commit).context("read a commit")?;
        let parents: Vec<ObjectId> = found.parent_ids().map(gix::Id::detach).collect();
        let mut against = Vec::new();
        if parents.is_empty() {
            against.push((None, self.touched_between(None, commit)?));
        }
        for parent in parents {
            against.push((Some(parent), self.touched_between(Some(parent), commit)?));
        }
        let touched = Arc::new(Touched { against });
        cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(commit, Arc::clone(&touched));
        Ok(touched)
    }

    fn touched_between(
        &self,
        parent: Option<ObjectId>,
        commit: ObjectId,
    ) -> Result<HashSet<String>, Error> {
        let changes = self.changes(parent, commit, Renames::Apart)?;
        let mut paths = HashSet::new();
        for change in &changes {
            let path = change.location().to_str_lossy();
            for (end, _) in path.match_indices('/') {
                paths.extend(path.get(..end).map(str::to_owned));
            }
            paths.insert(path.into_owned());
        }
        Ok(paths)
    }

    /// Returns the commits reachable from `tips`, newest first.
    pub fn log(&self, tips: &[ObjectId], selection: &Selection) -> Result<Vec<ObjectId>, Error> {
        let mut walk = self
            .git
            .rev_walk(tips.iter().copied())
            .sorting(Sorting::ByCommitTime(CommitTimeOrder::NewestFirst));
        if selection.is_first_parent {
            walk = walk.first_parent_only();
        }
        let mut commits = Vec::new();
        for info in walk.all().context("walk the history")? {
            let id = info.context("walk the history")?.id;
            if self.is_selected(id, selection)? {
                commits.push(id);
            }
        }
        Ok(commits)
    }

    fn is_selected(&self, id: ObjectId, selection: &Selection) -> Result<bool, Error> {
        if let Some(path) = &selection.path {
            let path = path.trim_matches('/');
            let touched = self.touched(id)?;
            if !touched
                .against
                .iter()
                .all(|(_, paths)| paths.contains(path))
            {
                return Ok(false);
            }
        }
        if selection.since.is_none() && selection.until.is_none() && selection.author.is_none() {
            return Ok(true);
        }
        let Some(commit) = self.commit(id)? else {
            return Ok(false);
        };
        let seconds = commit.committer.seconds;
        Ok(selection.since.is_none_or(|since| seconds >= since)
            && selection.until.is_none_or(|until| seconds <= until)
            && selection.author.as_ref().is_none_or(|author| {
                commit.author.name.contains(author) || commit.author.email.contains(author)
            }))
    }

    /// Returns the commits reachable from `to` but not from `from`, newest first.
    pub fn log_between(&self, from: ObjectId, to: ObjectId) -> Result<Vec<ObjectId>, Error> {
        let walk = self
            .git
            .rev_walk([to])
            .with_hidden([from])
            .sorting(Sorting::ByCommitTime(CommitTimeOrder::NewestFirst));
        let mut commits = Vec::new();
        for info in walk.all().context("walk the history")? {
            commits.push(info.context("walk the history")?.id);
        }
        Ok(commits)
    }

    /// Returns the best common ancestor of two commits.
    pub fn merge_base(&self, one: ObjectId, two: ObjectId) -> Option<ObjectId> {
        self.git
            .merge_base(one, two)
            .ok()
            .flatten()
            .map(gix::Id::detach)
    }

    /// Returns whether `ancestor` is reachable from `commit`.
    pub fn is_ancestor(&self, ancestor: ObjectId, commit: ObjectId) -> bool {
        self.merge_base(ancestor, commit) == Some(ancestor)
    }
}

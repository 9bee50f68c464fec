//! Branches and tags, moved by compare-and-swap.

use gix::ObjectId;
use gix::refs::transaction::{Change, LogChange, PreviousValue, RefEdit, RefLog};
use gix::refs::{FullName, Target};

use super::error::{Context, Error};
use super::repository::Repository;

/// An error that kept a reference from moving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceConflict {
    /// It does not point to the expected object.
    Moved,
    /// Another process holds its lock.
    Locked,
    /// It already exists.
    Exists,
    /// Its name is a folder of another reference, or the other way round.
    Hierarchy,
    /// Its name is not valid.
    Name,
}

/// Returns the content of HEAD for a branch.
pub(super) fn head_file(branch: &str) -> String {
    format!("ref: refs/heads/{branch}\n")
}

/// Returns whether git accepts a branch name.
pub fn is_branch_name(name: &str) -> bool {
    let full = format!("refs/heads/{name}");
    !name.starts_with('-')
        && name != "HEAD"
        && gix::validate::reference::name(full.as_str().into()).is_ok()
}

impl Repository {
    /// Returns whether the repository has no branch.
    pub fn is_empty(&self) -> Result<bool, Error> {
        let references = self.git.references().context("list the branches")?;
        let mut branches = references.local_branches().context("list the branches")?;
        Ok(branches.next().is_none())
    }

    /// Returns the branches and their commits, sorted by name.
    pub fn branches(&self) -> Result<Vec<(String, ObjectId)>, Error> {
        self.references("refs/heads/")
    }

    /// Returns the tags and their objects, sorted by name.
    pub fn tags(&self) -> Result<Vec<(String, ObjectId)>, Error> {
        self.references("refs/tags/")
    }

    fn references(&self, prefix: &str) -> Result<Vec<(String, ObjectId)>, Error> {
        let platform = self.git.references().context("list the references")?;
        let found = platform.prefixed(prefix).context("list the references")?;
        let mut names: Vec<_> = found
            .flatten()
            .filter_map(|reference| {
                let name = reference.name().as_bstr().to_string();
                let id = reference.try_id()?.detach();
                Some((name.strip_prefix(prefix)?.to_owned(), id))
            })
            .collect();
        names.sort();
        Ok(names)
    }

    /// Returns the commit of a branch.
    pub fn branch(&self, name: &str) -> Result<Option<ObjectId>, Error> {
        self.reference(&format!("refs/heads/{name}"))
    }

    /// Returns the object of a tag.
    pub fn tag(&self, name: &str) -> Result<Option<ObjectId>, Error> {
        self.reference(&format!("refs/tags/{name}"))
    }

    fn reference(&self, name: &str) -> Result<Option<ObjectId>, Error> {
        let Ok(name) = FullName::try_from(name) else {
            return Ok(None);
        };
        let found = self
            .git
            .try_find_reference(&name)
            .context("read a reference")?;
        Ok(found.and_then(|reference| reference.try_id().map(gix::Id::detach)))
    }

    /// Moves a reference from one object to another; `None` means that it does not exist. Returns
    /// the conflict if the reference is not at `from`.
    pub fn swap_reference(
        &self,
        name: &str,
        from: Option<ObjectId>,
        to: Option<ObjectId>,
    ) -> Result<Result<(), ReferenceConflict>, Error> {
        let Ok(full) = FullName::try_from(name) else {
            return Ok(Err(ReferenceConflict::Name));
        };
        if from.is_none() && self.clashes_with_hierarchy(name)? {
            return Ok(Err(ReferenceConflict::Hierarchy));
        }
        let expected = match from {
            Some(id) => PreviousValue::MustExistAndMatch(Target::Object(id)),
            None => PreviousValue::MustNotExist,
        };
        let change = match to {
            Some(id) => Change::Update {
                log: LogChange {
                    mode: RefLog::AndReference,
                    ..LogChange::default()
                },
                expected,
                new: Target::Object(id),
            },
            None => Change::Delete {
                expected,
                log: RefLog::AndReference,
            },
        };
        match self
            .git
            .edit_references_as([RefEdit::new(full, change)], None)
        {
            Ok(_) => Ok(Ok(())),
            Err(error) => {
                let now = self.reference(name)?;
                if now == from {
                    // The reference is at the expected object, so only its lock can have been the
                    // reason.
                    tracing::debug!(%name, %error, "a reference is locked");
                    return Ok(Err(ReferenceConflict::Locked));
                }
                Ok(Err(if from.is_none() {
                    ReferenceConflict::Exists
                } else {
                    ReferenceConflict::Moved
                }))
            }
        }
    }

    fn clashes_with_hierarchy(&self, name: &str) -> Result<bool, Error> {
        let segments: Vec<&str> = name.split('/').collect();
        for length in 3..segments.len() {
            let above = segments.get(..length).unwrap_or_default().join("/");
            if self.reference(&above)?.is_some() {
                return Ok(true);
            }
        }
        Ok(!self.references(&format!("{name}/"))?.is_empty())
    }

    /// Points HEAD to a branch, which need not exist.
    pub fn set_head(&self, branch: &str) -> Result<(), Error> {
        let path = self.path().join("HEAD");
        let temporary = self.path().join("HEAD.new");
        std::fs::write(&temporary, head_file(branch)).context("set the default branch")?;
        std::fs::rename(&temporary, path).context("set the default branch")
    }
}

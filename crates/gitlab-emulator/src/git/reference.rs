//! Branches and tags, and the compare-and-swap that moves them.

use gix::ObjectId;
use gix::refs::transaction::{Change, LogChange, PreviousValue, RefEdit, RefLog};
use gix::refs::{FullName, Target};

use super::error::{Attempt, Error};
use super::repository::Repository;

/// Why a branch was not moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It no longer points to what was expected.
    Moved,
    /// Somebody else is moving it.
    Locked,
    /// It exists already.
    Exists,
    /// Its name is a folder of another branch, or the other way round.
    Hierarchy,
    /// Its name is not legal.
    Name,
}

/// The content of HEAD that names a branch.
pub(super) fn head_file(branch: &str) -> String {
    format!("ref: refs/heads/{branch}\n")
}

/// Whether git allows a name for a branch.
pub fn is_branch_name(name: &str) -> bool {
    let full = format!("refs/heads/{name}");
    !name.starts_with('-')
        && name != "HEAD"
        && gix::validate::reference::name(full.as_str().into()).is_ok()
}

impl Repository {
    /// Whether there is no branch.
    pub fn is_empty(&self) -> Result<bool, Error> {
        let references = self.git.references().attempt("list the branches")?;
        let mut branches = references.local_branches().attempt("list the branches")?;
        Ok(branches.next().is_none())
    }

    /// The branches with their commits, by name.
    pub fn branches(&self) -> Result<Vec<(String, ObjectId)>, Error> {
        self.references("refs/heads/")
    }

    /// The tags with the objects they point to, by name.
    pub fn tags(&self) -> Result<Vec<(String, ObjectId)>, Error> {
        self.references("refs/tags/")
    }

    fn references(&self, prefix: &str) -> Result<Vec<(String, ObjectId)>, Error> {
        let platform = self.git.references().attempt("list the references")?;
        let found = platform.prefixed(prefix).attempt("list the references")?;
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

    /// The commit of a branch.
    pub fn branch(&self, name: &str) -> Result<Option<ObjectId>, Error> {
        self.reference(&format!("refs/heads/{name}"))
    }

    /// The object of a tag.
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
            .attempt("read a reference")?;
        Ok(found.and_then(|reference| reference.try_id().map(gix::Id::detach)))
    }

    /// Moves a reference from one object to another, where `None` is its absence. Gives the
    /// reason when it is not at `from`.
    pub fn swap_reference(
        &self,
        name: &str,
        from: Option<ObjectId>,
        to: Option<ObjectId>,
    ) -> Result<Result<(), Refused>, Error> {
        let Ok(full) = FullName::try_from(name) else {
            return Ok(Err(Refused::Name));
        };
        if from.is_none() && self.clashes_with_hierarchy(name)? {
            return Ok(Err(Refused::Hierarchy));
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
                    // At the expected object, so only the lock can have been in the way.
                    tracing::debug!(%name, %error, "a reference is locked");
                    return Ok(Err(Refused::Locked));
                }
                Ok(Err(if from.is_none() {
                    Refused::Exists
                } else {
                    Refused::Moved
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

    /// Makes HEAD name a branch, which need not exist.
    pub fn set_head(&self, branch: &str) -> Result<(), Error> {
        let path = self.path().join("HEAD");
        let temporary = self.path().join("HEAD.new");
        std::fs::write(&temporary, head_file(branch)).attempt("set the default branch")?;
        std::fs::rename(&temporary, path).attempt("set the default branch")
    }
}

//! The actions of a commit, applied in order to one tree (Gitaly `internal/gitaly/service/operations/commit_files.go`).

use gix::ObjectId;
use gix::object::tree::EntryKind;

use super::draft::{Draft, Found, Leaf};
use super::error::{Attempt, Error};
use super::repository::Repository;

/// One change of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Makes a file.
    Create {
        /// Where.
        path: String,
        /// Its bytes.
        content: Vec<u8>,
        /// Whether it can be executed.
        is_executable: bool,
    },
    /// Replaces the bytes of a file and keeps its mode.
    Update {
        /// Where.
        path: String,
        /// Its bytes.
        content: Vec<u8>,
    },
    /// Moves a file and keeps its mode.
    Move {
        /// Where to.
        path: String,
        /// Where from.
        previous_path: String,
        /// New bytes, if they change too.
        content: Option<Vec<u8>>,
    },
    /// Makes a file executable or not.
    Chmod {
        /// Where.
        path: String,
        /// Whether it can be executed.
        is_executable: bool,
    },
    /// Removes what is at a path.
    Delete {
        /// Where.
        path: String,
    },
}

/// Why an action cannot be applied, in Gitaly's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Inapplicable {
    /// Something is at the path of a new file.
    #[error("A file with this name already exists")]
    Exists,
    /// Nothing is at the path of an existing file.
    #[error("A file with this name doesn't exist")]
    Missing,
    /// The path is empty.
    #[error("You must provide a file path")]
    NoPath,
    /// The path leaves the repository.
    #[error("Path cannot include directory traversal")]
    Traversal,
    /// Git does not allow the path.
    #[error("invalid path: '{0}'")]
    InvalidPath(String),
}

/// Applies actions to a tree and writes it; the first one that does not fit ends it all.
pub(super) fn apply(
    repository: &Repository,
    tree: Option<ObjectId>,
    actions: &[Action],
) -> Result<Result<ObjectId, Inapplicable>, Error> {
    let mut draft = Draft::new(repository, tree);
    for action in actions {
        if let Err(inapplicable) = apply_one(repository, &mut draft, action)? {
            return Ok(Err(inapplicable));
        }
    }
    draft.write().map(Ok)
}

fn apply_one(
    repository: &Repository,
    draft: &mut Draft<'_>,
    action: &Action,
) -> Result<Result<(), Inapplicable>, Error> {
    for path in action.paths() {
        if let Err(inapplicable) = check_path(path) {
            return Ok(Err(inapplicable));
        }
    }
    match action {
        Action::Create {
            path,
            content,
            is_executable,
        } => {
            if matches!(draft.find(path)?, Found::Leaf(_)) {
                return Ok(Err(Inapplicable::Exists));
            }
            let id = write_blob(repository, content)?;
            draft.put(
                path,
                Leaf {
                    id,
                    mode: file_mode(*is_executable),
                },
            )?;
        }
        Action::Update { path, content } => {
            let Found::Leaf(leaf) = draft.find(path)? else {
                return Ok(Err(Inapplicable::Missing));
            };
            draft.put(
                path,
                Leaf {
                    id: write_blob(repository, content)?,
                    ..leaf
                },
            )?;
        }
        Action::Move {
            path,
            previous_path,
            content,
        } => {
            let Found::Leaf(leaf) = draft.find(previous_path)? else {
                return Ok(Err(Inapplicable::Missing));
            };
            if path != previous_path && draft.find(path)? != Found::Nothing {
                return Ok(Err(Inapplicable::Exists));
            }
            let id = match content {
                Some(content) => write_blob(repository, content)?,
                None => leaf.id,
            };
            draft.remove(previous_path)?;
            draft.put(path, Leaf { id, ..leaf })?;
        }
        Action::Chmod {
            path,
            is_executable,
        } => {
            let Found::Leaf(leaf) = draft.find(path)? else {
                return Ok(Err(Inapplicable::Missing));
            };
            draft.put(
                path,
                Leaf {
                    mode: file_mode(*is_executable),
                    ..leaf
                },
            )?;
        }
        Action::Delete { path } => {
            if draft.find(path)? == Found::Nothing {
                return Ok(Err(Inapplicable::Missing));
            }
            draft.remove(path)?;
        }
    }
    Ok(Ok(()))
}

impl Action {
    /// The path that it leaves something at, or removes.
    pub fn path(&self) -> &str {
        match self {
            Self::Create { path, .. }
            | Self::Update { path, .. }
            | Self::Move { path, .. }
            | Self::Chmod { path, .. }
            | Self::Delete { path } => path,
        }
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        let previous = match self {
            Self::Move { previous_path, .. } => Some(previous_path.as_str()),
            _ => None,
        };
        std::iter::once(self.path()).chain(previous)
    }
}

fn check_path(path: &str) -> Result<(), Inapplicable> {
    if path.is_empty() {
        return Err(Inapplicable::NoPath);
    }
    let mut depth = 0_i32;
    for segment in path.split('/') {
        depth += match segment {
            ".." => -1,
            _ => 1,
        };
        if depth < 0 {
            return Err(Inapplicable::Traversal);
        }
    }
    let is_legal = path.split('/').all(|segment| {
        let options = gix::validate::path::component::Options {
            protect_windows: false,
            ..Default::default()
        };
        gix::validate::path::component(segment.into(), None, options).is_ok()
    });
    if is_legal {
        Ok(())
    } else {
        Err(Inapplicable::InvalidPath(path.to_owned()))
    }
}

fn file_mode(is_executable: bool) -> gix::object::tree::EntryMode {
    if is_executable {
        EntryKind::BlobExecutable.into()
    } else {
        EntryKind::Blob.into()
    }
}

fn write_blob(repository: &Repository, content: &[u8]) -> Result<ObjectId, Error> {
    Ok(repository
        .git
        .write_blob(content)
        .attempt("write a file")?
        .detach())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_git_refuses_are_refused() {
        assert_eq!(check_path("a/b.txt"), Ok(()));
        assert_eq!(check_path(""), Err(Inapplicable::NoPath));
        assert_eq!(check_path("../x"), Err(Inapplicable::Traversal));
        assert_eq!(check_path("a/../../x"), Err(Inapplicable::Traversal));
        for path in [".git/x", "a//b", "/a", "a/", "a/.GIT/b"] {
            assert_eq!(
                check_path(path),
                Err(Inapplicable::InvalidPath(path.to_owned()))
            );
        }
    }
}

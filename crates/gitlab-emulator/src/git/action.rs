//! Commit actions, applied in order to one tree (Gitaly
//! `internal/gitaly/service/operations/commit_files.go`).

use gix::ObjectId;
use gix::object::tree::EntryKind;

use super::error::{Context, Error};
use super::repository::Repository;
use super::tree_editor::{Found, Leaf, TreeEditor};

/// One change of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Creates a file.
    Create {
        /// Its path.
        path: String,
        /// Its content.
        content: Vec<u8>,
        /// Whether it is executable.
        is_executable: bool,
    },
    /// Replaces the content of a file and keeps its mode.
    Update {
        /// Its path.
        path: String,
        /// Its new content.
        content: Vec<u8>,
    },
    /// Moves a file and keeps its mode.
    Move {
        /// The new path.
        path: String,
        /// The old path.
        previous_path: String,
        /// New content, if it changes too.
        content: Option<Vec<u8>>,
    },
    /// Sets or clears the executable bit.
    Chmod {
        /// Its path.
        path: String,
        /// Whether it is executable.
        is_executable: bool,
    },
    /// Removes a file or folder.
    Delete {
        /// Its path.
        path: String,
    },
}

/// An error that keeps an action from being applied, with Gitaly's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// The path of a new file already exists.
    #[error("A file with this name already exists")]
    Exists,
    /// The path of an existing file does not exist.
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

/// Applies actions to a tree and writes it. The first action that fails ends the operation.
pub(super) fn apply(
    repository: &Repository,
    tree: Option<ObjectId>,
    actions: &[Action],
) -> Result<Result<ObjectId, ActionError>, Error> {
    let mut editor = TreeEditor::new(repository, tree);
    for action in actions {
        if let Err(action_error) = apply_one(repository, &mut editor, action)? {
            return Ok(Err(action_error));
        }
    }
    editor.write().map(Ok)
}

fn apply_one(
    repository: &Repository,
    editor: &mut TreeEditor<'_>,
    action: &Action,
) -> Result<Result<(), ActionError>, Error> {
    for path in action.paths() {
        if let Err(action_error) = check_path(path) {
            return Ok(Err(action_error));
        }
    }
    match action {
        Action::Create {
            path,
            content,
            is_executable,
        } => {
            if matches!(editor.find(path)?, Found::Leaf(_)) {
                return Ok(Err(ActionError::Exists));
            }
            let id = write_blob(repository, content)?;
            editor.put(
                path,
                Leaf {
                    id,
                    mode: file_mode(*is_executable),
                },
            )?;
        }
        Action::Update { path, content } => {
            let Found::Leaf(leaf) = editor.find(path)? else {
                return Ok(Err(ActionError::Missing));
            };
            editor.put(
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
            let Found::Leaf(leaf) = editor.find(previous_path)? else {
                return Ok(Err(ActionError::Missing));
            };
            if path != previous_path && editor.find(path)? != Found::Nothing {
                return Ok(Err(ActionError::Exists));
            }
            let id = match content {
                Some(content) => write_blob(repository, content)?,
                None => leaf.id,
            };
            editor.remove(previous_path)?;
            editor.put(path, Leaf { id, ..leaf })?;
        }
        Action::Chmod {
            path,
            is_executable,
        } => {
            let Found::Leaf(leaf) = editor.find(path)? else {
                return Ok(Err(ActionError::Missing));
            };
            editor.put(
                path,
                Leaf {
                    mode: file_mode(*is_executable),
                    ..leaf
                },
            )?;
        }
        Action::Delete { path } => {
            if editor.find(path)? == Found::Nothing {
                return Ok(Err(ActionError::Missing));
            }
            editor.remove(path)?;
        }
    }
    Ok(Ok(()))
}

impl Action {
    /// Returns the path that the action writes or removes.
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

fn check_path(path: &str) -> Result<(), ActionError> {
    if path.is_empty() {
        return Err(ActionError::NoPath);
    }
    let mut depth = 0_i32;
    for segment in path.split('/') {
        depth += match segment {
            ".." => -1,
            _ => 1,
        };
        if depth < 0 {
            return Err(ActionError::Traversal);
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
        Err(ActionError::InvalidPath(path.to_owned()))
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
        .context("write a file")?
        .detach())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_invalid_in_git_are_refused() {
        assert_eq!(check_path("a/b.txt"), Ok(()));
        assert_eq!(check_path(""), Err(ActionError::NoPath));
        assert_eq!(check_path("../x"), Err(ActionError::Traversal));
        assert_eq!(check_path("a/../../x"), Err(ActionError::Traversal));
        for path in [".git/x", "a//b", "/a", "a/", "a/.GIT/b"] {
            assert_eq!(
                check_path(path),
                Err(ActionError::InvalidPath(path.to_owned()))
            );
        }
    }
}

//! The state in memory, and its log on disk.
//!
//! Before a request is answered, its changed rows are appended to `state.jsonl` with one `write`. A
//! killed emulator therefore loses nothing that it acknowledged; a machine that loses power may,
//! because nothing is synced. At start the log is compacted.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use crate::domain::state::{Change, State};

const LOG: &str = "state.jsonl";

/// An error while reading or writing the state.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system reported an error.
    #[error("could not {action} the state at {path}")]
    File {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A line is not a row of this release.
    #[error("line {line} of the state at {path} is not a row known to this release")]
    Line {
        /// The file.
        path: PathBuf,
        /// Line number, from one.
        line: usize,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
}

/// The state that all requests share.
#[derive(Debug)]
pub(crate) struct Store {
    inner: RwLock<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    log: File,
    path: PathBuf,
}

impl Store {
    /// Opens the state of a data folder; an empty folder yields an empty state.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(LOG);
        let mut state = State::default();
        if path.exists() {
            read(&path, &mut state)?;
        }
        state.rebuild_routes();
        state.rebuild_token_digests();
        state.take_changes();
        state.touch_all();
        let log = rewrite(&path, &state.take_changes()).map_err(|source| Error::File {
            action: "write",
            path: path.clone(),
            source,
        })?;
        Ok(Self {
            inner: RwLock::new(Inner { state, log, path }),
        })
    }

    /// Returns the state for reading.
    pub(crate) fn read(&self) -> StateGuard<'_> {
        StateGuard(self.inner.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the state and appends the changed rows to the log. Changes made before a failure of
    /// `change` are kept.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let outcome = change(&mut inner.state);
        let lines = lines(&inner.state.take_changes());
        if !lines.is_empty()
            && let Err(error) = inner.log.write_all(&lines)
        {
            tracing::error!(path = %inner.path.display(), %error, "could not write the state");
        }
        outcome
    }
}

/// Read access to the state.
pub(crate) struct StateGuard<'a>(RwLockReadGuard<'a, Inner>);

impl std::ops::Deref for StateGuard<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0.state
    }
}

fn read(path: &Path, state: &mut State) -> Result<(), Error> {
    let failed = |source| Error::File {
        action: "read",
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let mut lines = BufReader::new(file).lines().enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let line = line.map_err(failed)?;
        let restored = serde_json::from_str::<(String, u64, Option<serde_json::Value>)>(&line)
            .and_then(|(table, number, row)| state.restore(&table, number, row));
        match restored {
            Ok(()) => {}
            // A killed process can leave half of its last line; that change was never acknowledged.
            Err(error) if lines.peek().is_none() && error.is_eof() => break,
            Err(source) => {
                return Err(Error::Line {
                    path: path.to_owned(),
                    line: index + 1,
                    source,
                });
            }
        }
    }
    Ok(())
}

fn rewrite(path: &Path, changes: &[Change]) -> std::io::Result<File> {
    let temporary = path.with_extension("new");
    std::fs::write(&temporary, lines(changes))?;
    std::fs::rename(&temporary, path)?;
    OpenOptions::new().append(true).open(path)
}

fn lines(changes: &[Change]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for change in changes {
        if serde_json::to_writer(&mut bytes, change).is_ok() {
            bytes.push(b'\n');
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledged_changes_survive_a_kill() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.change(|state| state.settings.get_mut().deletion_adjourned_period = 7);
        drop(store);
        let path = folder.path().join(LOG);
        OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"[\"proj")
            .unwrap();

        let again = Store::open(folder.path()).unwrap();
        assert_eq!(again.read().settings.get().deletion_adjourned_period, 7);
    }

    #[test]
    fn row_of_an_unknown_table_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join(LOG),
            "[\"nothing\",1,{}]\n[\"nothing\",2,{}]\n",
        )
        .unwrap();
        assert!(matches!(
            Store::open(folder.path()),
            Err(Error::Line { line: 1, .. })
        ));
    }
}

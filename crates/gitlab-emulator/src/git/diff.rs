//! Line differences between commits.

use std::fmt::Write;

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::diff::blob::unified_diff::{ConsumeHunk, ContextSize, DiffLineKind, HunkHeader};
use gix::diff::blob::{Algorithm, InternedInput, UnifiedDiff, diff_with_slider_heuristics};
use gix::diff::tree_with_rewrites::Change;
use gix::object::tree::EntryMode;

use super::change::Renames;
use super::error::Error;
use super::repository::Repository;

/// Numbers of added and removed lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Lines added.
    pub additions: u64,
    /// Lines removed.
    pub deletions: u64,
}

/// A file that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDiff {
    /// Path before.
    pub old_path: String,
    /// Path after.
    pub new_path: String,
    /// Mode before; `None` if the file is new.
    pub old_mode: Option<EntryMode>,
    /// Mode after; `None` if the file was removed.
    pub new_mode: Option<EntryMode>,
    /// Hunks of the unified diff; empty for binary files.
    pub text: String,
}

/// A path that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedPath {
    /// The path.
    pub path: String,
    /// Whether something existed at the path before.
    pub is_before: bool,
    /// Whether something exists at the path after.
    pub is_after: bool,
}

/// The content of a file before and after.
type Contents = (Vec<u8>, Vec<u8>);

/// Both sides of a change.
struct Sides {
    old: Option<(String, ObjectId, EntryMode)>,
    new: Option<(String, ObjectId, EntryMode)>,
}

impl Repository {
    /// Counts the lines that differ between two commits; `None` is an empty tree.
    pub fn stats(&self, from: Option<ObjectId>, to: ObjectId) -> Result<Stats, Error> {
        let mut stats = Stats::default();
        for change in self.file_changes(from, to)? {
            let Some((before, after)) = self.contents(&Sides::from(change))? else {
                continue;
            };
            let input = InternedInput::new(before.as_slice(), after.as_slice());
            let diff = diff_with_slider_heuristics(Algorithm::Histogram, &input);
            stats.additions += u64::from(diff.count_additions());
            stats.deletions += u64::from(diff.count_removals());
        }
        Ok(stats)
    }

    /// Returns the files that differ between two commits, sorted by path.
    pub fn diff(&self, from: Option<ObjectId>, to: ObjectId) -> Result<Vec<FileDiff>, Error> {
        let mut files = Vec::new();
        for change in self.file_changes(from, to)? {
            let sides = Sides::from(change);
            let text = match self.contents(&sides)? {
                Some((before, after)) => unified(&before, &after),
                None => String::new(),
            };
            let Sides { old, new } = sides;
            let path =
                |side: &Option<(String, _, _)>| side.as_ref().map(|(path, _, _)| path.clone());
            let (old_path, new_path) = (path(&old), path(&new));
            let either = old_path
                .clone()
                .or_else(|| new_path.clone())
                .unwrap_or_default();
            files.push(FileDiff {
                old_path: old_path.unwrap_or_else(|| either.clone()),
                new_path: new_path.unwrap_or(either),
                old_mode: old.map(|(_, _, mode)| mode),
                new_mode: new.map(|(_, _, mode)| mode),
                text,
            });
        }
        files.sort_by(|one, two| one.new_path.cmp(&two.new_path));
        Ok(files)
    }

    /// Returns the paths that differ between two commits; a rename counts as a removed and a new
    /// path.
    pub fn changed_paths(
        &self,
        from: Option<ObjectId>,
        to: ObjectId,
    ) -> Result<Vec<ChangedPath>, Error> {
        let mut paths = Vec::new();
        for change in self.file_changes(from, to)? {
            let Sides { old, new } = Sides::from(change);
            let path = |side: Option<(String, ObjectId, EntryMode)>| side.map(|(path, _, _)| path);
            match (path(old), path(new)) {
                (Some(old), Some(new)) if old == new => {
                    paths.push(ChangedPath {
                        path: new,
                        is_before: true,
                        is_after: true,
                    });
                }
                (old, new) => {
                    let removed = |path| ChangedPath {
                        path,
                        is_before: true,
                        is_after: false,
                    };
                    let added = |path| ChangedPath {
                        path,
                        is_before: false,
                        is_after: true,
                    };
                    paths.extend(old.map(removed));
                    paths.extend(new.map(added));
                }
            }
        }
        Ok(paths)
    }

    /// Returns all files that differ between two commits, with renames detected.
    fn file_changes(&self, from: Option<ObjectId>, to: ObjectId) -> Result<Vec<Change>, Error> {
        let mut changes = self.changes(from, to, Renames::Found)?;
        changes.retain(|change| !change.entry_mode().is_tree());
        Ok(changes)
    }

    /// Returns the content before and after; `None` if one side is binary or not a file.
    fn contents(&self, sides: &Sides) -> Result<Option<Contents>, Error> {
        let mut contents = [Vec::new(), Vec::new()];
        for (content, side) in contents.iter_mut().zip([&sides.old, &sides.new]) {
            if let Some((_, id, _)) = side {
                let Some(bytes) = self.blob(*id)? else {
                    return Ok(None);
                };
                // git treats a file with a zero byte near its start as binary.
                if bytes.iter().take(8000).any(|byte| *byte == 0) {
                    return Ok(None);
                }
                *content = bytes;
            }
        }
        let [before, after] = contents;
        Ok(Some((before, after)))
    }
}

impl From<Change> for Sides {
    fn from(change: Change) -> Self {
        let path = |location: gix::bstr::BString| location.to_str_lossy().into_owned();
        match change {
            Change::Addition {
                location,
                entry_mode,
                id,
                ..
            } => Self {
                old: None,
                new: Some((path(location), id, entry_mode)),
            },
            Change::Deletion {
                location,
                entry_mode,
                id,
                ..
            } => Self {
                old: Some((path(location), id, entry_mode)),
                new: None,
            },
            Change::Modification {
                location,
                previous_entry_mode,
                previous_id,
                entry_mode,
                id,
            } => {
                let location = path(location);
                Self {
                    old: Some((location.clone(), previous_id, previous_entry_mode)),
                    new: Some((location, id, entry_mode)),
                }
            }
            Change::Rewrite {
                source_location,
                source_entry_mode,
                source_id,
                location,
                entry_mode,
                id,
                ..
            } => Self {
                old: Some((path(source_location), source_id, source_entry_mode)),
                new: Some((path(location), id, entry_mode)),
            },
        }
    }
}

fn unified(before: &[u8], after: &[u8]) -> String {
    let input = InternedInput::new(before, after);
    let diff = diff_with_slider_heuristics(Algorithm::Histogram, &input);
    let printed =
        UnifiedDiff::new(&diff, &input, Hunks::default(), ContextSize::symmetrical(3)).consume();
    // Writing to memory does not fail.
    printed.unwrap_or_default()
}

/// Prints hunks like git, including its note on a missing newline at the end.
#[derive(Default)]
struct Hunks(String);

impl ConsumeHunk for Hunks {
    type Out = String;

    fn consume_hunk(
        &mut self,
        header: HunkHeader,
        lines: &[(DiffLineKind, &[u8])],
    ) -> std::io::Result<()> {
        let range = |start: u32, length: u32| match length {
            0 => format!("{},0", start.saturating_sub(1)),
            1 => start.to_string(),
            _ => format!("{start},{length}"),
        };
        let before = range(header.before_hunk_start, header.before_hunk_len);
        let after = range(header.after_hunk_start, header.after_hunk_len);
        let _ = writeln!(self.0, "@@ -{before} +{after} @@");
        for (kind, line) in lines {
            self.0.push(match kind {
                DiffLineKind::Context => ' ',
                DiffLineKind::Add => '+',
                DiffLineKind::Remove => '-',
            });
            self.0.push_str(&line.to_str_lossy());
            if !line.ends_with(b"\n") {
                self.0.push_str("\n\\ No newline at end of file\n");
            }
        }
        Ok(())
    }

    fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_are_formatted_like_git() {
        assert_eq!(
            unified(b"", b"a\nb"),
            "@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n"
        );
        assert_eq!(
            unified(b"a\nb\n", b"a\nc\n"),
            "@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
        );
        assert_eq!(unified(b"a\n", b""), "@@ -1 +0,0 @@\n-a\n");
    }
}

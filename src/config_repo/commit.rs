//! From the difference of two trees to the actions of a commit and the summary in its message.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use nautes_model::EntityKey;
use nautes_model::entity::Entity;
use nautes_model::installation::Rendering;
use nautes_model::tree::{FileChange, ManifestTree};

use crate::backends::gitlab::FileAction;

use super::message::{ChangeKind, SummaryLine};
use super::object_id::ObjectFormat;

/// Returns the actions that turn one tree into another. `head` is the commit of the first one.
pub(super) fn actions(
    from: &ManifestTree,
    to: &ManifestTree,
    head: Option<&str>,
) -> Vec<FileAction> {
    let last_commit_id = head.unwrap_or_default();
    let action = |change| match change {
        FileChange::Created { path, text } => FileAction::Create {
            file_path: path.to_owned(),
            content: Bytes::copy_from_slice(text.as_bytes()),
        },
        FileChange::Updated { path, text } => FileAction::Update {
            file_path: path.to_owned(),
            content: Bytes::copy_from_slice(text.as_bytes()),
            last_commit_id: last_commit_id.to_owned(),
        },
        FileChange::Deleted { path } => FileAction::Delete {
            file_path: path.to_owned(),
            last_commit_id: last_commit_id.to_owned(),
        },
    };
    to.changes_since(from).into_iter().map(action).collect()
}

/// Returns the actions that write the files of a Nautes installation and remove those that are obsolete. `existing` are
/// the files of the commit `head` with their blob ids.
pub(super) fn file_actions(
    rendering: &Rendering,
    existing: &BTreeMap<String, String>,
    head: Option<&str>,
) -> Vec<FileAction> {
    let last_commit_id = head.unwrap_or_default();
    let format = ObjectFormat::from_id(last_commit_id);
    let written = rendering.files.iter().filter_map(|(path, text)| {
        let (file_path, content) = (path.clone(), Bytes::copy_from_slice(text.as_bytes()));
        match existing.get(path) {
            None => Some(FileAction::Create { file_path, content }),
            Some(blob) if *blob == format.blob_id(text.as_bytes()) => None,
            Some(_) => Some(FileAction::Update {
                file_path,
                content,
                last_commit_id: last_commit_id.to_owned(),
            }),
        }
    });
    let obsolete = existing.keys().filter(|path| rendering.is_obsolete(path));
    let deleted = obsolete.map(|path| FileAction::Delete {
        file_path: path.clone(),
        last_commit_id: last_commit_id.to_owned(),
    });
    written.chain(deleted).collect()
}

/// Lists what turning one tree into another does to which entities.
pub(super) fn summary(from: &ManifestTree, to: &ManifestTree) -> Vec<SummaryLine> {
    let mut summary = BTreeSet::new();
    for change in to.changes_since(from) {
        let (FileChange::Created { path, .. }
        | FileChange::Updated { path, .. }
        | FileChange::Deleted { path }) = change;
        if let Some(key) = entity_at(to, path) {
            summary.insert(summary_line(ChangeKind::Save, to, key));
        } else if let Some(key) = entity_at(from, path)
            && !to.contains(&key)
        {
            summary.insert(summary_line(ChangeKind::Delete, from, key));
        }
    }
    summary.into_iter().collect()
}

fn summary_line(change: ChangeKind, tree: &ManifestTree, key: EntityKey) -> SummaryLine {
    let name = match tree.get(&key) {
        Some(Entity::CodeRepo(repo)) if !repo.repo_name.is_empty() => repo.repo_name.clone(),
        _ => key.name.into(),
    };
    SummaryLine {
        change,
        kind: key.kind,
        name,
    }
}

fn entity_at(tree: &ManifestTree, path: &str) -> Option<EntityKey> {
    tree.manifests()
        .find(|(other, _)| *other == path)
        .map(|(_, manifest)| manifest.key())
}

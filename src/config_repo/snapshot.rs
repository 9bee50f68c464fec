//! The content of a configuration repository at one commit.

use nautes_model::EntityKey;
use nautes_model::entity::Entity;
use nautes_model::tree::ManifestTree;
use serde::{Deserialize, Serialize};

use super::object_id::ObjectFormat;

/// The content of a configuration repository at one commit, parsed.
#[derive(Clone, Debug)]
pub struct Snapshot {
    commit: Option<String>,
    tree: ManifestTree,
}

/// Where an entity's manifest was last seen to be as state says; kept in private state.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct VerifiedAt {
    /// The commit.
    pub commit: String,
    /// The hash of the manifest's content.
    pub blob_id: String,
}

impl Snapshot {
    pub(super) fn new(commit: Option<String>, tree: ManifestTree) -> Self {
        Self { commit, tree }
    }

    /// The commit; none for an empty repository.
    pub fn commit(&self) -> Option<&str> {
        self.commit.as_deref()
    }

    /// The content.
    pub fn tree(&self) -> &ManifestTree {
        &self.tree
    }

    /// An entity.
    pub fn get(&self, key: &EntityKey) -> Option<&Entity> {
        self.tree.get(key)
    }

    /// Where the manifest of an entity is verified by this snapshot.
    pub fn verified(&self, key: &EntityKey) -> Option<VerifiedAt> {
        let commit = self.commit.clone()?;
        let blob_id = blob_id(&self.tree, key, ObjectFormat::of(&commit))?;
        Some(VerifiedAt { commit, blob_id })
    }
}

/// The hash of an entity's manifest.
pub(super) fn blob_id(
    tree: &ManifestTree,
    key: &EntityKey,
    format: ObjectFormat,
) -> Option<String> {
    let (path, _) = tree.find(key)?;
    Some(format.blob_id(tree.file(path)?.as_bytes()))
}

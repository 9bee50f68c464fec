//! The content of a configuration repository at one commit.

use std::sync::OnceLock;

use nautes_model::EntityKey;
use nautes_model::deploy_key::{self, EnabledKeys};
use nautes_model::entity::Entity;
use nautes_model::tree::ManifestTree;
use serde::{Deserialize, Serialize};

use super::object_id::ObjectFormat;

/// The content of a configuration repository at one commit, parsed.
#[derive(Clone, Debug)]
pub struct Snapshot {
    commit: Option<String>,
    tree: ManifestTree,
    enabled_keys: OnceLock<EnabledKeys>,
}

/// Where an entity's manifest was last seen to be as the state says; kept in private state.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct VerifiedAt {
    /// The commit.
    pub commit: String,
    /// The blob id of the manifest; empty if it cannot be parsed, so that it is read each time and
    /// stays drift.
    pub blob_id: String,
}

impl VerifiedAt {
    pub(super) fn new(commit: String, blob_id: Option<String>) -> Self {
        Self {
            commit,
            blob_id: blob_id.unwrap_or_default(),
        }
    }
}

impl Snapshot {
    pub(super) fn new(commit: Option<String>, tree: ManifestTree) -> Self {
        Self {
            commit,
            tree,
            enabled_keys: OnceLock::new(),
        }
    }

    /// The commit; `None` for an empty repository.
    pub fn commit(&self) -> Option<&str> {
        self.commit.as_deref()
    }

    /// The content.
    pub fn tree(&self) -> &ManifestTree {
        &self.tree
    }

    /// Returns the deploy keys that are to be enabled on each code repository, derived once.
    pub fn enabled_keys(&self) -> &EnabledKeys {
        self.enabled_keys
            .get_or_init(|| deploy_key::enabled_keys(&self.tree))
    }

    /// An entity.
    pub fn get(&self, key: &EntityKey) -> Option<&Entity> {
        self.tree.get(key)
    }

    /// Where the manifest of an entity is verified by this snapshot.
    pub fn verified(&self, key: &EntityKey) -> Option<VerifiedAt> {
        let commit = self.commit.clone()?;
        let blob_id = blob_id(&self.tree, key, ObjectFormat::from_id(&commit))?;
        Some(VerifiedAt::new(commit, Some(blob_id)))
    }
}

/// The blob id of an entity's manifest.
pub(super) fn blob_id(
    tree: &ManifestTree,
    key: &EntityKey,
    format: ObjectFormat,
) -> Option<String> {
    let (path, _) = tree.find(key)?;
    Some(format.blob_id(tree.file(path)?.as_bytes()))
}

//! The files of a commit with their blob ids.

use std::collections::BTreeMap;

use nautes_model::EntityKey;
use nautes_model::layout::{ManifestPath, Repository};

use crate::backends::gitlab::{EntryType, TreeEntry};

/// The files of one commit that the model knows: manifests and the kustomization.
#[derive(Debug)]
pub(super) struct Listing {
    repository: Repository,
    blobs: BTreeMap<String, String>,
    paths: BTreeMap<EntityKey, String>,
}

impl Listing {
    pub(super) fn new(repository: Repository, entries: Vec<TreeEntry>) -> Self {
        let blobs: BTreeMap<String, String> = entries
            .into_iter()
            .filter(|entry| entry.entry_type == EntryType::Blob)
            .filter(|entry| is_model_file(repository, &entry.path))
            .map(|entry| (entry.path, entry.id))
            .collect();
        let paths = blobs
            .keys()
            .filter(|path| repository.may_hold_manifest(path))
            .filter_map(|path| Some((path.parse::<ManifestPath>().ok()?, path)))
            .map(|(manifest, path)| (manifest.key().clone(), path.clone()))
            .collect();
        Self {
            repository,
            blobs,
            paths,
        }
    }

    /// The blob id of a file.
    pub(super) fn blob(&self, path: &str) -> Option<&str> {
        self.blobs.get(path).map(String::as_str)
    }

    /// The blob ids of all files, by path.
    pub(super) fn blobs(&self) -> &BTreeMap<String, String> {
        &self.blobs
    }

    /// The paths of the files that may hold a manifest.
    pub(super) fn manifests(&self) -> impl Iterator<Item = &str> {
        let paths = self.blobs.keys().map(String::as_str);
        paths.filter(|path| self.repository.may_hold_manifest(path))
    }

    /// The path that the layout gives an entity, if there is a file.
    pub(super) fn path_of(&self, key: &EntityKey) -> Option<&str> {
        self.paths.get(key).map(String::as_str)
    }
}

/// Whether a file is one of the model: a manifest or the kustomization.
pub(super) fn is_model_file(repository: Repository, path: &str) -> bool {
    repository.may_hold_manifest(path) || path == repository.kustomization_path()
}

#[cfg(test)]
mod tests {
    use nautes_model::{EntityName, Kind, ProductId};

    use super::*;

    fn listing(files: &[(&str, &str)]) -> Listing {
        let entry = |(path, id): &(&str, &str)| TreeEntry {
            id: (*id).to_owned(),
            entry_type: EntryType::Blob,
            path: (*path).to_owned(),
        };
        Listing::new(
            Repository::Product(ProductId::new(1)),
            files.iter().map(entry).collect(),
        )
    }

    fn environment(name: &str) -> EntityKey {
        EntityKey::new(Kind::Environment, EntityName::new(name).unwrap())
    }

    #[test]
    fn only_files_that_the_model_knows_are_kept() {
        let listing = listing(&[
            ("README.md", "1"),
            ("templates/a.yaml", "2"),
            ("envs/dev.yaml", "3"),
            ("production/kustomization.yaml", "4"),
        ]);
        let paths: Vec<_> = listing.blobs().keys().map(String::as_str).collect();
        assert_eq!(paths, ["envs/dev.yaml", "production/kustomization.yaml"]);
    }

    #[test]
    fn an_entity_is_found_by_the_path_that_the_layout_gives_it() {
        let listing = listing(&[("envs/dev.yaml", "3"), ("envs/other-name/test.yaml", "5")]);
        assert_eq!(listing.path_of(&environment("dev")), Some("envs/dev.yaml"));
        assert_eq!(listing.path_of(&environment("test")), None);
    }
}

//! Which files a commit holds, by the hashes of their contents.

use std::collections::{BTreeMap, HashMap};

use nautes_model::EntityKey;
use nautes_model::layout::{ManifestPath, Repository};

use crate::backends::gitlab::{EntryType, TreeEntry};

/// The files of one commit that the model knows: manifests and the kustomization.
#[derive(Debug)]
pub(super) struct Listing {
    blobs: BTreeMap<String, String>,
    places: HashMap<EntityKey, String>,
    paths_by_blob: HashMap<String, String>,
}

impl Listing {
    pub(super) fn new(repository: Repository, entries: Vec<TreeEntry>) -> Self {
        let blobs: BTreeMap<String, String> = entries
            .into_iter()
            .filter(|entry| entry.entry_type == EntryType::Blob)
            .filter(|entry| is_of_model(repository, &entry.path))
            .map(|entry| (entry.path, entry.id))
            .collect();
        let manifests = || {
            blobs
                .iter()
                .filter(|(path, _)| repository.holds_manifests(path))
        };
        let places = manifests()
            .filter_map(|(path, _)| Some((path.parse::<ManifestPath>().ok()?, path)))
            .map(|(place, path)| (place.key().clone(), path.clone()))
            .collect();
        let paths_by_blob = manifests()
            .map(|(path, blob)| (blob.clone(), path.clone()))
            .collect();
        Self {
            blobs,
            places,
            paths_by_blob,
        }
    }

    /// The hash of a file's content.
    pub(super) fn blob(&self, path: &str) -> Option<&str> {
        self.blobs.get(path).map(String::as_str)
    }

    /// Paths and hashes of all files.
    pub(super) fn blobs(&self) -> &BTreeMap<String, String> {
        &self.blobs
    }

    /// The path of an entity's manifest: the place that the layout gives it, or wherever the very
    /// content is that was there before.
    pub(super) fn place(&self, key: &EntityKey, known_blob: Option<&str>) -> Option<&str> {
        let moved = || self.paths_by_blob.get(known_blob?);
        self.places.get(key).or_else(moved).map(String::as_str)
    }
}

/// Whether the model knows a file: a manifest or the kustomization.
pub(super) fn is_of_model(repository: Repository, path: &str) -> bool {
    repository.holds_manifests(path) || path == repository.kustomization_path()
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
    fn an_entity_is_found_in_its_place_or_by_its_content() {
        let listing = listing(&[("envs/dev.yaml", "3"), ("envs/odd-place.yaml", "5")]);
        assert_eq!(
            listing.place(&environment("dev"), None),
            Some("envs/dev.yaml")
        );
        assert_eq!(
            listing.place(&environment("test"), Some("5")),
            Some("envs/odd-place.yaml")
        );
        assert_eq!(listing.place(&environment("test"), Some("6")), None);
    }
}

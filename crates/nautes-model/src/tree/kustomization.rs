//! The kustomization from which Argo CD finds the manifests.
//!
//! Nautes writes it anew with every change, and so do we; what else a user writes into it is lost.
//! The order of its entries means nothing: a file that lists the right ones is left as it is.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Content, ManifestTree};
use crate::kind::EntityKey;
use crate::manifest::ManifestError;
use crate::yaml;

/// The kustomization is not one.
#[derive(Debug, thiserror::Error)]
pub enum KustomizationError {
    /// The file is not one YAML document.
    #[error("the kustomization is not one YAML document")]
    NotYaml(#[from] yaml::ReadError),
    /// The `resources` are not a list of texts.
    #[error("the `resources` of the kustomization are not a list of paths")]
    Resources(#[source] serde_json::Error),
}

/// The entries of a kustomization.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kustomization {
    /// The `resources`.
    pub resources: BTreeSet<String>,
}

impl Kustomization {
    /// Reads a kustomization.
    pub fn parse(text: &str) -> Result<Self, KustomizationError> {
        let document = yaml::read(text)?;
        let resources = document.get("resources").cloned().unwrap_or(Value::Null);
        let resources: Option<BTreeSet<String>> =
            serde_json::from_value(resources).map_err(KustomizationError::Resources)?;
        Ok(Self {
            resources: resources.unwrap_or_default(),
        })
    }
}

impl ManifestTree {
    /// Renders the kustomization that lists every manifest.
    ///
    /// The entries are in the order of a walk through the folders. A tree without manifests gives
    /// one without `resources`.
    pub fn kustomization(&self) -> String {
        let mut paths: Vec<&str> = self.listed_files().collect();
        paths.sort_by(|left, right| left.split('/').cmp(right.split('/')));
        let resources: Vec<String> = paths
            .into_iter()
            .map(|path| self.repository.kustomization_entry(path))
            .collect();
        let mut document = json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
        });
        if let (false, Some(document)) = (resources.is_empty(), document.as_object_mut()) {
            document.insert("resources".to_owned(), json!(resources));
        }
        yaml::write(&document)
    }

    /// Writes the kustomization into the tree unless the one that is there lists the same.
    pub fn update_kustomization(&mut self) {
        let wanted: BTreeSet<String> = self
            .listed_files()
            .map(|path| self.repository.kustomization_entry(path))
            .collect();
        if self.listed_entries() != Some(wanted) {
            let text = self.kustomization();
            self.put_file(self.repository.kustomization_path(), text);
        }
    }

    /// Tells whether the kustomization lists the manifest of an entity.
    pub fn lists(&self, key: &EntityKey) -> bool {
        let Some(entries) = self.listed_entries() else {
            return false;
        };
        self.find(key)
            .is_some_and(|(path, _)| entries.contains(&self.repository.kustomization_entry(path)))
    }

    /// Lists the entries of the kustomization for which there is no manifest.
    pub fn surplus_kustomization_entries(&self) -> BTreeSet<String> {
        let mut entries = self.listed_entries().unwrap_or_default();
        for path in self.listed_files() {
            entries.remove(&self.repository.kustomization_entry(path));
        }
        entries
    }

    /// Returns the entries of the kustomization that is there, if it can be read.
    fn listed_entries(&self) -> Option<BTreeSet<String>> {
        let text = self.file(self.repository.kustomization_path())?;
        Some(Kustomization::parse(text).ok()?.resources)
    }

    /// Iterates over the files to list: all that Kubernetes might take, also of unknown kinds.
    fn listed_files(&self) -> impl Iterator<Item = &str> {
        self.files
            .iter()
            .filter(|(_, file)| match &file.content {
                Content::Manifest(_)
                | Content::Broken(
                    ManifestError::UnknownKind { .. } | ManifestError::NotAnEntity { .. },
                ) => true,
                Content::Broken(
                    ManifestError::NotYaml(_)
                    | ManifestError::NotAManifest { .. }
                    | ManifestError::Name(_),
                )
                | Content::Other => false,
            })
            .map(|(path, _)| path.as_ref())
    }
}

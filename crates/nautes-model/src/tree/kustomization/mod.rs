//! The kustomization with which Argo CD finds the manifests.
//!
//! A product's is rendered like Nautes renders it, from the manifests alone. The tenant's is shared
//! with other people and tools: an update changes the entries of cluster manifests only, and keeps
//! other entries, keys and comments.
//!
//! The order of entries is insignificant: a kustomization with the right entries stays as it is.

mod edit;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Content, File, ManifestTree};
use crate::kind::{EntityKey, Kind};
use crate::layout::Repository;
use crate::manifest::ManifestError;
use crate::yaml;

/// The file is not a valid kustomization.
#[derive(Debug, thiserror::Error)]
pub enum KustomizationError {
    /// The file is not one YAML document.
    #[error("the kustomization is not one YAML document")]
    NotYaml(#[from] yaml::ReadError),
    /// The `resources` are not a list of strings.
    #[error("the `resources` of the kustomization are not a list of paths")]
    Resources(#[source] serde_json::Error),
}

/// The entries of a kustomization.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kustomization {
    /// The `resources`, without leading `./`.
    pub resources: BTreeSet<String>,
}

impl Kustomization {
    /// Parses a kustomization.
    pub fn parse(text: &str) -> Result<Self, KustomizationError> {
        let document = yaml::read(text)?;
        let resources = document.get("resources").cloned().unwrap_or(Value::Null);
        let resources: Option<Vec<String>> =
            serde_json::from_value(resources).map_err(KustomizationError::Resources)?;
        let resources = resources.unwrap_or_default();
        let resources = resources.iter().map(|entry| normalised(entry).to_owned());
        Ok(Self {
            resources: resources.collect(),
        })
    }

    /// Renders a kustomization that lists the manifests at some paths of a repository, and nothing
    /// else.
    ///
    /// The entries are in the order of a directory walk. Without manifests it has no `resources`.
    pub fn render<'a>(repository: Repository, paths: impl IntoIterator<Item = &'a str>) -> String {
        let mut paths: Vec<&str> = paths.into_iter().collect();
        paths.sort_by(|left, right| left.split('/').cmp(right.split('/')));
        let resources: Vec<String> = paths
            .into_iter()
            .map(|path| repository.kustomization_entry(path))
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
}

/// Strips a leading `./` from an entry.
fn normalised(entry: &str) -> &str {
    entry.strip_prefix("./").unwrap_or(entry)
}

impl ManifestTree {
    /// Renders the kustomization with the entries of all manifests.
    ///
    /// The tenant's keeps what else is in the file. One that cannot be parsed stays as it is,
    /// because Argo CD would delete what a new one no longer lists.
    pub fn kustomization(&self) -> String {
        let current = self.file(self.repository.kustomization_path());
        match (self.repository, current) {
            (Repository::Tenant, Some(current)) => self.edited(current),
            (Repository::Product(_), _) | (Repository::Tenant, None) => self.new_kustomization(),
        }
    }

    /// Writes the kustomization into the tree, unless it already has the right entries.
    pub fn update_kustomization(&mut self) {
        let is_current = self.kustomization_entries().is_some_and(|current| {
            let own = current.iter().filter(|entry| self.is_own_entry(entry));
            own.eq(&self.wanted_entries())
        });
        if !is_current {
            let text = self.kustomization();
            self.put_file(self.repository.kustomization_path(), text);
        }
    }

    /// Returns whether the kustomization lists the manifest of an entity.
    pub fn is_listed(&self, key: &EntityKey) -> bool {
        let Some(entries) = self.kustomization_entries() else {
            return false;
        };
        self.find(key)
            .is_some_and(|(path, _)| entries.contains(&self.repository.kustomization_entry(path)))
    }

    /// Returns the entries of the kustomization without a manifest, except those of other people.
    pub fn stale_kustomization_entries(&self) -> BTreeSet<String> {
        let wanted = self.wanted_entries();
        let mut entries = self.kustomization_entries().cloned().unwrap_or_default();
        entries.retain(|entry| self.is_own_entry(entry) && !wanted.contains(entry));
        entries
    }

    /// Renders a kustomization from the manifests alone.
    fn new_kustomization(&self) -> String {
        Kustomization::render(self.repository, self.listed_files())
    }

    /// Updates our entries in a kustomization.
    fn edited(&self, text: &str) -> String {
        let is_own = |entry: &str| self.is_own_entry(entry);
        edit::with_own_entries(text, &self.wanted_entries(), is_own)
            .unwrap_or_else(|| text.to_owned())
    }

    /// Returns the entries of the kustomization in the tree; `None` if it cannot be parsed.
    fn kustomization_entries(&self) -> Option<&BTreeSet<String>> {
        let file = self.files.get(self.repository.kustomization_path())?;
        let parse = || Kustomization::parse(&file.text).ok();
        Some(&file.kustomization.get_or_init(parse).as_ref()?.resources)
    }

    /// Returns our entries, as they should be.
    fn wanted_entries(&self) -> BTreeSet<String> {
        self.listed_files()
            .map(|path| self.repository.kustomization_entry(path))
            .collect()
    }

    /// Returns whether an entry is ours.
    ///
    /// In the tenant's repository these are the cluster manifests. An entry for a missing file of
    /// the same folder counts as the entry of a removed one, since kustomize fails on it.
    fn is_own_entry(&self, entry: &str) -> bool {
        match self.repository {
            Repository::Product(_) => true,
            Repository::Tenant => {
                let Some(path) = self.repository.path_of_entry(entry) else {
                    return false;
                };
                match self.files.get(path.as_str()) {
                    Some(file) => is_cluster(file),
                    None => [".yaml", ".yml"].iter().any(|end| entry.ends_with(end)),
                }
            }
        }
    }

    /// Iterates over the files to list.
    ///
    /// In a product's repository these are all that Kubernetes may accept, including unknown kinds.
    fn listed_files(&self) -> impl Iterator<Item = &str> {
        self.files
            .iter()
            .filter(|(_, file)| match self.repository {
                Repository::Tenant => is_cluster(file),
                Repository::Product(_) => is_kubernetes_manifest(file),
            })
            .map(|(path, _)| path.as_ref())
    }
}

fn is_cluster(file: &File) -> bool {
    match &file.content {
        Content::Manifest(manifest) => manifest.entity().kind() == Kind::Cluster,
        Content::Invalid(_) | Content::Other => false,
    }
}

fn is_kubernetes_manifest(file: &File) -> bool {
    match &file.content {
        Content::Manifest(_)
        | Content::Invalid(ManifestError::UnknownKind { .. } | ManifestError::NotAnEntity { .. }) => {
            true
        }
        Content::Invalid(
            ManifestError::NotYaml(_) | ManifestError::NotAManifest { .. } | ManifestError::Name(_),
        )
        | Content::Other => false,
    }
}

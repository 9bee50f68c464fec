//! Queries on a tree.

use super::{Content, ManifestTree};
use crate::entity::{
    Cluster, CodeRepo, CodeRepoBinding, DeploymentRuntime, Entity, Environment, PipelineRuntime,
    Project,
};
use crate::id::{ProductId, RepositoryId};
use crate::kind::{EntityKey, Kind};
use crate::layout::ManifestPath;
use crate::manifest::{Manifest, ManifestError};

macro_rules! entities_of_kind {
    ($($(#[$doc:meta])* $method:ident -> $kind:ident),+ $(,)?) => {
        $(
            $(#[$doc])*
            pub fn $method(&self) -> impl Iterator<Item = &$kind> {
                self.entities_of_kind(Kind::$kind).filter_map(|entity| match entity {
                    Entity::$kind(entity) => Some(entity),
                    _ => None,
                })
            }
        )+
    };
}

impl ManifestTree {
    entities_of_kind! {
        /// Iterates over the clusters, by name.
        clusters -> Cluster,
        /// Iterates over the environments, by name.
        environments -> Environment,
        /// Iterates over the projects, by name.
        projects -> Project,
        /// Iterates over the code repositories.
        code_repos -> CodeRepo,
        /// Iterates over the bindings, by name.
        code_repo_bindings -> CodeRepoBinding,
        /// Iterates over the pipeline runtimes, by name.
        pipeline_runtimes -> PipelineRuntime,
        /// Iterates over the deployment runtimes, by name.
        deployment_runtimes -> DeploymentRuntime,
    }

    /// Returns the product, for a product's repository.
    pub fn product(&self) -> Option<ProductId> {
        self.repository.product()
    }

    /// Returns the text of a file.
    pub fn file(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(|file| file.text.as_str())
    }

    /// Iterates over all files, by path.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(path, file)| (path.as_ref(), file.text.as_str()))
    }

    /// Iterates over the manifests, by path.
    pub fn manifests(&self) -> impl Iterator<Item = (&str, &Manifest)> {
        self.files
            .iter()
            .filter_map(|(path, file)| match &file.content {
                Content::Manifest(manifest) => Some((path.as_ref(), &**manifest)),
                Content::Invalid(_) | Content::Other => None,
            })
    }

    /// Iterates over the files that should hold a manifest but do not, by path.
    pub fn invalid_files(&self) -> impl Iterator<Item = (&str, &ManifestError)> {
        self.files
            .iter()
            .filter_map(|(path, file)| match &file.content {
                Content::Invalid(error) => Some((path.as_ref(), error)),
                Content::Manifest(_) | Content::Other => None,
            })
    }

    /// Finds the manifest of an entity, at any path.
    ///
    /// Of several manifests, prefers the one at the path that the layout prescribes.
    pub fn find(&self, key: &EntityKey) -> Option<(&str, &Manifest)> {
        let candidates = || {
            self.paths
                .get(key)
                .into_iter()
                .flatten()
                .filter_map(|path| match &self.files.get(path)?.content {
                    Content::Manifest(manifest) => Some((path.as_ref(), &**manifest)),
                    Content::Invalid(_) | Content::Other => None,
                })
        };
        candidates()
            .find(|(path, manifest)| ManifestPath::from(manifest.entity()).as_str() == *path)
            .or_else(|| candidates().next())
    }

    /// Returns an entity.
    pub fn get(&self, key: &EntityKey) -> Option<&Entity> {
        self.find(key).map(|(_, manifest)| manifest.entity())
    }

    /// Returns whether the tree has an entity.
    pub fn contains(&self, key: &EntityKey) -> bool {
        self.paths.contains_key(key)
    }

    /// Iterates over the entities of a kind, by name, without duplicates.
    pub fn entities_of_kind(&self, kind: Kind) -> impl Iterator<Item = &Entity> {
        self.paths
            .keys()
            .filter(move |key| key.kind == kind)
            .filter_map(|key| self.get(key))
    }

    /// Iterates over all entities, in the order of creation of their kinds, without duplicates.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.paths.keys().filter_map(|key| self.get(key))
    }

    /// Iterates over the paths of an entity's manifests.
    pub fn paths(&self, key: &EntityKey) -> impl Iterator<Item = &str> {
        self.paths.get(key).into_iter().flatten().map(AsRef::as_ref)
    }

    /// Returns a code repository by its id.
    pub fn code_repo(&self, id: RepositoryId) -> Option<&CodeRepo> {
        match self.get(&EntityKey::new(Kind::CodeRepo, id.into()))? {
            Entity::CodeRepo(repo) => Some(repo),
            _ => None,
        }
    }

    /// Returns a code repository by the path of its GitLab project.
    pub fn code_repo_by_name(&self, repo_name: &str) -> Option<&CodeRepo> {
        self.code_repos().find(|repo| repo.repo_name == repo_name)
    }

    /// Returns whether the tree has no manifest, and no file that should hold one.
    pub fn is_empty(&self) -> bool {
        self.manifests().next().is_none() && self.invalid_files().next().is_none()
    }
}

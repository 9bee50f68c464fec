//! The paths of manifests in the two kinds of configuration repositories.
//!
//! The layout of a product's repository comes from
//! `config/apps/overlays/api-server/resources_layout.yaml` and
//! `app/api-server/internal/biz/common.go` of Nautes, that of the tenant's from its installer.

use std::fmt;
use std::str::FromStr;

use crate::entity::Entity;
use crate::entity_name::EntityName;
use crate::id::{ProductId, RepositoryId};
use crate::kind::{EntityKey, Kind};

/// The folder of cluster manifests in the tenant's repository.
const CLUSTERS: &str = "nautes/overlays/production/clusters";

/// The kustomization of a product's repository, which Argo CD builds.
pub const PRODUCT_KUSTOMIZATION: &str = "production/kustomization.yaml";

/// The kustomization of the clusters in the tenant's repository.
pub const TENANT_KUSTOMIZATION: &str = "nautes/overlays/production/clusters/kustomization.yaml";

/// The top-level folders of a product's repository that contain manifests.
///
/// The last one is for a kind that no Nautes release implements.
pub const PRODUCT_FOLDERS: [&str; 5] = [
    "envs",
    "projects",
    "code-repos",
    "runtimes",
    "artifact-repos",
];

/// The path is not the path of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` is not the path of a manifest")]
pub struct PathError {
    /// The path.
    pub path: String,
}

/// The path of an entity's manifest in its configuration repository.
///
/// Only paths of the layout can be represented.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ManifestPath {
    text: String,
    key: EntityKey,
}

impl ManifestPath {
    /// Returns the path of a cluster, in the tenant's repository.
    pub fn cluster(name: &EntityName) -> Self {
        Self::new(format!("{CLUSTERS}/{name}.yaml"), Kind::Cluster, name)
    }

    /// Returns the path of an environment.
    pub fn environment(name: &EntityName) -> Self {
        Self::new(format!("envs/{name}.yaml"), Kind::Environment, name)
    }

    /// Returns the path of a project.
    pub fn project(name: &EntityName) -> Self {
        Self::new(format!("projects/{name}/{name}.yaml"), Kind::Project, name)
    }

    /// Returns the path of a code repository.
    pub fn code_repo(id: RepositoryId) -> Self {
        Self::new(
            format!("code-repos/{id}/{id}.yaml"),
            Kind::CodeRepo,
            &id.into(),
        )
    }

    /// Returns the path of a binding, in the folder of the code repository that it grants.
    pub fn code_repo_binding(code_repo: RepositoryId, name: &EntityName) -> Self {
        Self::new(
            format!("code-repos/{code_repo}/{name}.yaml"),
            Kind::CodeRepoBinding,
            name,
        )
    }

    /// Returns the path of a pipeline runtime, in the folder of its project.
    pub fn pipeline_runtime(project: &EntityName, name: &EntityName) -> Self {
        Self::new(
            format!("projects/{project}/{name}.yaml"),
            Kind::PipelineRuntime,
            name,
        )
    }

    /// Returns the path of a deployment runtime.
    pub fn deployment_runtime(name: &EntityName) -> Self {
        Self::new(
            format!("runtimes/{name}.yaml"),
            Kind::DeploymentRuntime,
            name,
        )
    }

    fn new(text: String, kind: Kind, name: &EntityName) -> Self {
        Self {
            text,
            key: EntityKey::new(kind, name.clone()),
        }
    }

    /// Returns the path, from the root of the repository.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the folder, without a trailing slash.
    pub fn folder(&self) -> &str {
        self.text.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Returns the key of the entity that belongs at this path.
    pub fn key(&self) -> &EntityKey {
        &self.key
    }

    /// Returns the kind of the entity that belongs at this path.
    pub fn kind(&self) -> Kind {
        self.key.kind
    }
}

impl From<&Entity> for ManifestPath {
    fn from(entity: &Entity) -> Self {
        match entity {
            Entity::Cluster(cluster) => Self::cluster(&cluster.name),
            Entity::Environment(environment) => Self::environment(&environment.name),
            Entity::Project(project) => Self::project(&project.name),
            Entity::CodeRepo(repo) => Self::code_repo(repo.id),
            Entity::CodeRepoBinding(binding) => {
                Self::code_repo_binding(binding.code_repo, &binding.name)
            }
            Entity::PipelineRuntime(runtime) => {
                Self::pipeline_runtime(&runtime.project, &runtime.name)
            }
            Entity::DeploymentRuntime(runtime) => Self::deployment_runtime(&runtime.name),
        }
    }
}

impl fmt::Display for ManifestPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl FromStr for ManifestPath {
    type Err = PathError;

    fn from_str(path: &str) -> Result<Self, PathError> {
        parse(path).ok_or_else(|| PathError {
            path: path.to_owned(),
        })
    }
}

fn parse(path: &str) -> Option<ManifestPath> {
    let (folder, file) = path.rsplit_once('/')?;
    let stem = file.strip_suffix(".yaml")?;
    let name: EntityName = stem.parse().ok()?;
    match folder.split_once('/') {
        None if folder == "envs" => Some(ManifestPath::environment(&name)),
        None if folder == "runtimes" => Some(ManifestPath::deployment_runtime(&name)),
        Some(_) if folder == CLUSTERS && stem != "kustomization" => {
            Some(ManifestPath::cluster(&name))
        }
        Some(("projects", project)) if project == stem => Some(ManifestPath::project(&name)),
        Some(("projects", project)) => Some(ManifestPath::pipeline_runtime(
            &project.parse().ok()?,
            &name,
        )),
        Some(("code-repos", id)) if id == stem => Some(ManifestPath::code_repo(id.parse().ok()?)),
        Some(("code-repos", id)) => Some(ManifestPath::code_repo_binding(id.parse().ok()?, &name)),
        _ => None,
    }
}

/// A configuration repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Repository {
    /// The repository of a product, `default.project`.
    Product(ProductId),
    /// The repository of the tenant.
    Tenant,
}

impl Repository {
    /// Returns the product, for a product's repository.
    pub const fn product(self) -> Option<ProductId> {
        match self {
            Self::Product(product) => Some(product),
            Self::Tenant => None,
        }
    }

    /// Returns the path of the kustomization that lists the manifests.
    pub const fn kustomization_path(self) -> &'static str {
        match self {
            Self::Product(_) => PRODUCT_KUSTOMIZATION,
            Self::Tenant => TENANT_KUSTOMIZATION,
        }
    }

    /// Returns whether the file at a path may hold a manifest.
    ///
    /// Nautes ignores other top-level folders and the extensions `.md` and `.txt`
    /// (`app/api-server/pkg/nodestree/nodestree.go`). This crate ignores hidden files as well.
    pub fn may_hold_manifest(self, path: &str) -> bool {
        let file = path.rsplit_once('/').map_or(path, |(_, file)| file);
        let extension = file.rsplit_once('.').map(|(_, extension)| extension);
        if file.starts_with('.') || matches!(extension, Some("md" | "txt")) {
            return false;
        }
        match self {
            Self::Product(_) => path
                .split_once('/')
                .is_some_and(|(top, _)| PRODUCT_FOLDERS.contains(&top)),
            Self::Tenant => path
                .strip_prefix(CLUSTERS)
                .and_then(|rest| rest.strip_prefix('/'))
                .is_some_and(|rest| !rest.contains('/') && path != TENANT_KUSTOMIZATION),
        }
    }

    /// Returns whether the manifest of an entity may be at a path: each kind has its folder and
    /// its depth, and the folders of projects and code repositories have their names
    /// (`app/api-server/pkg/nodestree/effective.go` and `reference.go`).
    pub fn allows(self, entity: &Entity, path: &str) -> bool {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let inside = |top: &str| {
            folder
                .strip_prefix(top)
                .and_then(|rest| rest.strip_prefix('/'))
                .is_some_and(|rest| !rest.contains('/'))
        };
        match (self, entity.kind()) {
            (Self::Tenant, Kind::Cluster) => folder == CLUSTERS,
            (Self::Product(_), Kind::Environment) => folder == "envs",
            (Self::Product(_), Kind::DeploymentRuntime) => folder == "runtimes",
            (Self::Product(_), Kind::Project | Kind::CodeRepo) => {
                folder == ManifestPath::from(entity).folder()
            }
            (Self::Product(_), Kind::PipelineRuntime) => inside("projects"),
            (Self::Product(_), Kind::CodeRepoBinding) => inside("code-repos"),
            _ => false,
        }
    }

    /// Returns the kustomization's entry for the manifest at a path.
    pub fn kustomization_entry(self, path: &str) -> String {
        match self {
            Self::Product(_) => format!("../{path}"),
            Self::Tenant => path
                .rsplit_once('/')
                .map_or(path, |(_, file)| file)
                .to_owned(),
        }
    }

    /// Returns the path that an entry of the kustomization refers to, if it is a manifest of the
    /// repository.
    pub(crate) fn path_of_entry(self, entry: &str) -> Option<String> {
        let path = match self {
            Self::Product(_) => entry.strip_prefix("../")?.to_owned(),
            Self::Tenant => format!("{CLUSTERS}/{entry}"),
        };
        self.may_hold_manifest(&path).then_some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_identifies_its_entity() {
        for (path, kind, name) in [
            ("envs/dev.yaml", Kind::Environment, "dev"),
            ("projects/shop/shop.yaml", Kind::Project, "shop"),
            ("projects/shop/ci.yaml", Kind::PipelineRuntime, "ci"),
            ("code-repos/repo-1/repo-1.yaml", Kind::CodeRepo, "repo-1"),
            ("code-repos/repo-1/open.yaml", Kind::CodeRepoBinding, "open"),
            ("runtimes/live.yaml", Kind::DeploymentRuntime, "live"),
            (
                "nautes/overlays/production/clusters/host-a.yaml",
                Kind::Cluster,
                "host-a",
            ),
        ] {
            let parsed: ManifestPath = path.parse().expect(path);
            assert_eq!(parsed.as_str(), path);
            assert_eq!((parsed.kind(), parsed.key().name.as_str()), (kind, name));
        }
    }

    #[test]
    fn paths_outside_the_layout_are_rejected() {
        for path in [
            "README.md",
            "production/kustomization.yaml",
            "envs/dev.yml",
            "envs/a/b.yaml",
            "envs/../x.yaml",
            "projects/shop.yaml",
            "projects/shop/a/b.yaml",
            "code-repos/svc/svc.yaml",
            "code-repos/svc/open.yaml",
            "artifact-repos/a/a.yaml",
            "nautes/overlays/production/clusters/kustomization.yaml",
            "/envs/dev.yaml",
        ] {
            assert!(path.parse::<ManifestPath>().is_err(), "{path}");
        }
    }

    #[test]
    fn ignored_files_hold_no_manifests() {
        let product = Repository::Product(ProductId::new(1));
        assert!(product.may_hold_manifest("envs/dev.yaml"));
        assert!(product.may_hold_manifest("artifact-repos/a/a.yaml"));
        for path in [
            "envs",
            "envs/.gitkeep",
            "envs/a.md",
            "envs/a.txt",
            "templates/a.yaml",
        ] {
            assert!(!product.may_hold_manifest(path), "{path}");
        }
        assert!(Repository::Tenant.may_hold_manifest("nautes/overlays/production/clusters/a.yaml"));
        assert!(!Repository::Tenant.may_hold_manifest(TENANT_KUSTOMIZATION));
    }
}

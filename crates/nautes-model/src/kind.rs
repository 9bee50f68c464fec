//! The eight kinds of entities, and the key that identifies an entity.

use std::fmt;

use crate::entity_name::EntityName;

/// A kind of entity. Kinds are ordered by creation; destruction is in reverse order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A Kubernetes cluster of the tenant.
    Cluster,
    /// An IT system: a GitLab group with a configuration repository. It has no manifest.
    Product,
    /// A stage of a product, on one cluster.
    Environment,
    /// A microservice of a product.
    Project,
    /// A Git repository of a product.
    CodeRepo,
    /// The permission of projects to use a repository.
    CodeRepoBinding,
    /// Runs pipelines on events.
    PipelineRuntime,
    /// Keeps manifests deployed.
    DeploymentRuntime,
}

impl Kind {
    /// All kinds, in the order of creation.
    pub const ALL: [Self; 8] = [
        Self::Cluster,
        Self::Product,
        Self::Environment,
        Self::Project,
        Self::CodeRepo,
        Self::CodeRepoBinding,
        Self::PipelineRuntime,
        Self::DeploymentRuntime,
    ];

    /// Returns the `kind` of the Kubernetes resource.
    pub const fn kubernetes_kind(self) -> &'static str {
        match self {
            Self::Cluster => "Cluster",
            Self::Product => "Product",
            Self::Environment => "Environment",
            Self::Project => "Project",
            Self::CodeRepo => "CodeRepo",
            Self::CodeRepoBinding => "CodeRepoBinding",
            Self::PipelineRuntime => "ProjectPipelineRuntime",
            Self::DeploymentRuntime => "DeploymentRuntime",
        }
    }

    /// Finds the kind by the `kind` of its Kubernetes resource.
    pub fn from_kubernetes_kind(kind: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|candidate| candidate.kubernetes_kind() == kind)
    }

    /// Returns the name of the Terraform resource and data source.
    pub const fn terraform_type(self) -> &'static str {
        match self {
            Self::Cluster => "nautes_cluster",
            Self::Product => "nautes_product",
            Self::Environment => "nautes_environment",
            Self::Project => "nautes_project",
            Self::CodeRepo => "nautes_code_repo",
            Self::CodeRepoBinding => "nautes_code_repo_binding",
            Self::PipelineRuntime => "nautes_pipeline_runtime",
            Self::DeploymentRuntime => "nautes_deployment_runtime",
        }
    }

    /// Returns the name of the kind in prose.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Product => "product",
            Self::Environment => "environment",
            Self::Project => "project",
            Self::CodeRepo => "code repository",
            Self::CodeRepoBinding => "code repository binding",
            Self::PipelineRuntime => "pipeline runtime",
            Self::DeploymentRuntime => "deployment runtime",
        }
    }

    /// Returns what several of the kind are called in a sentence.
    pub const fn plural_noun(self) -> &'static str {
        match self {
            Self::Cluster => "clusters",
            Self::Product => "products",
            Self::Environment => "environments",
            Self::Project => "projects",
            Self::CodeRepo => "code repositories",
            Self::CodeRepoBinding => "code repository bindings",
            Self::PipelineRuntime => "pipeline runtimes",
            Self::DeploymentRuntime => "deployment runtimes",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.noun())
    }
}

/// Identifies an entity in its configuration repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityKey {
    /// The kind.
    pub kind: Kind,
    /// The `metadata.name`; for a code repository its id, `repo-128`.
    pub name: EntityName,
}

impl EntityKey {
    /// Makes a key.
    pub fn new(kind: Kind, name: EntityName) -> Self {
        Self { kind, name }
    }
}

impl fmt::Display for EntityKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} `{}`", self.kind, self.name)
    }
}

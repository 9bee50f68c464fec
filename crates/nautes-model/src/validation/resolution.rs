//! The manifests whose change may resolve a violation.

use super::violation::{OtherRuntime, Rule, Subject, Violation};
use crate::id::RepositoryId;
use crate::kind::{EntityKey, Kind};
use crate::layout::{ManifestPath, Repository};

/// Manifests in a configuration repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ManifestPattern {
    /// The repository.
    pub repository: Repository,
    /// The entities in the repository.
    pub entities: EntityPattern,
}

/// Entities in a configuration repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntityPattern {
    /// One entity, which need not exist.
    Entity(EntityKey),
    /// All entities of a kind.
    Kind(Kind),
}

impl ManifestPattern {
    /// Returns whether the pattern includes an entity of a repository.
    pub fn matches(&self, repository: Repository, key: &EntityKey) -> bool {
        self.repository == repository
            && match &self.entities {
                EntityPattern::Entity(entity) => entity == key,
                EntityPattern::Kind(kind) => *kind == key.kind,
            }
    }

    fn entity(repository: Repository, key: EntityKey) -> Self {
        Self {
            repository,
            entities: EntityPattern::Entity(key),
        }
    }

    fn kind(repository: Repository, kind: Kind) -> Self {
        Self {
            repository,
            entities: EntityPattern::Kind(kind),
        }
    }
}

impl Violation {
    /// Returns the manifests whose creation, update or removal may resolve the violation.
    ///
    /// `repository` is the one that has the violation; the manifests may be in others. The subject
    /// is included where a change of it helps. Empty unless [`Violation::may_resolve`].
    pub fn resolved_by(&self, repository: Repository) -> Vec<ManifestPattern> {
        let own = |key: EntityKey| ManifestPattern::entity(repository, key);
        let code_repo = |id: RepositoryId| own(EntityKey::new(Kind::CodeRepo, id.into()));
        let others = match &self.rule {
            // The subject is not in the repository yet, so that only the occupant can give way.
            Rule::PathTaken { path, occupant } => {
                let occupant = occupant.clone().or_else(|| {
                    let path: ManifestPath = path.parse().ok()?;
                    Some(path.key().clone())
                });
                return occupant.map(own).into_iter().collect();
            }
            Rule::Duplicate { .. } => Vec::new(),
            Rule::Missing { target, .. } => vec![ManifestPattern::entity(
                home(target.kind, repository),
                target.clone(),
            )],
            Rule::NotAuthorised { code_repo: id, .. } => vec![
                ManifestPattern::kind(repository, Kind::CodeRepoBinding),
                code_repo(*id),
            ],
            Rule::NotReported { code_repo: id, .. } => vec![code_repo(*id)],
            Rule::ClusterShared { with, .. } | Rule::SourceShared { with, .. } => {
                vec![own(with.clone())]
            }
            Rule::NamespaceShared { with, .. } | Rule::ApplicationShared { with, .. } => {
                runtimes_on_one_cluster(with, repository)
            }
            Rule::ClusterInUse {
                product,
                environment,
            } => vec![ManifestPattern::entity(
                Repository::Product(*product),
                EntityKey::new(Kind::Environment, environment.clone()),
            )],
            Rule::Unreadable { .. }
            | Rule::Misplaced { .. }
            | Rule::Invalid { .. }
            | Rule::ForeignProduct { .. }
            | Rule::WrongWorkerType { .. }
            | Rule::NoPipelineComponent { .. }
            | Rule::ReservedNamespace { .. }
            | Rule::NotAHost { .. } => return Vec::new(),
        };
        let subject = match &self.subject {
            Subject::Entity(key) => Some(own(key.clone())),
            Subject::File(_) => None,
        };
        subject.into_iter().chain(others).collect()
    }
}

/// Returns the repository with the entities of a kind, as seen from another repository.
fn home(kind: Kind, repository: Repository) -> Repository {
    match kind {
        Kind::Cluster => Repository::Tenant,
        _ => repository,
    }
}

/// Returns what decides that the runtimes of a pair are on the same cluster: the other runtime and
/// the environments of both products.
fn runtimes_on_one_cluster(with: &OtherRuntime, repository: Repository) -> Vec<ManifestPattern> {
    let other = with.product.map_or(repository, Repository::Product);
    let mut patterns = vec![
        ManifestPattern::entity(other, with.key.clone()),
        ManifestPattern::kind(repository, Kind::Environment),
    ];
    if other != repository {
        patterns.push(ManifestPattern::kind(other, Kind::Environment));
    }
    patterns
}

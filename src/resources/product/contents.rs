//! The contents of a product, which guard it against being destroyed by accident.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use nautes_model::entity::Entity;
use nautes_model::layout::Repository;
use nautes_model::{EntityKey, Kind, ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use crate::backends::gitlab::{Branch, EntryType, Error, GitLab, Project};
use crate::client::Client;
use crate::credentials::Owner;
use crate::diagnostics::Context as _;
use crate::lookup::config_repository;
use crate::resources::unfinished;
use crate::resources::work::{README, find_work};

/// How many files and branches of people a message names.
const SHOWN_FILES: usize = 10;

/// The contents of a product besides its configuration repository.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    repositories: Vec<Project>,
    entities: Vec<EntityKey>,
    /// Repositories that the product's manifests name.
    named: BTreeSet<RepositoryId>,
    /// Repositories with unfinished projects.
    unfinished: BTreeSet<RepositoryId>,
    /// All repositories whose projects are in the group, also those that are marked for deletion.
    in_group: BTreeMap<RepositoryId, Owner>,
    has_manifests: bool,
    /// Files in the place of manifests that cannot be read, so that nobody knows what they guard.
    invalid: Vec<String>,
    /// What people have put into the configuration repository: files, and other branches.
    of_people: Vec<String>,
}

impl Contents {
    /// Reads the contents of a product.
    pub(crate) async fn find(
        client: &Client,
        product: ProductId,
        config_project: Option<&Project>,
    ) -> Result<Self, Diagnostics> {
        let mut projects = all_repositories(client, product).await?;
        let own = projects
            .iter()
            .filter(|project| project.namespace.id == product.number());
        let in_group = own
            .map(Owner::from)
            .map(|owner| (owner.repository, owner))
            .collect();
        projects.retain(|project| !project.is_marked_for_deletion());
        let (unfinished, mut repositories): (Vec<_>, Vec<_>) =
            projects.into_iter().partition(is_unfinished);
        for project in &unfinished {
            let work = find_work(client.gitlab()?, project).await;
            let path = &project.path_with_namespace;
            if work
                .with_context(|| format!("read the contents of {path}"))?
                .is_some()
            {
                repositories.push(project.clone());
            }
        }
        let config_project = config_project.map(|project| project.id);
        let (mut entities, invalid) = manifests(client, product, config_project).await?;
        let has_manifests = !entities.is_empty();
        let named = entities.iter().filter_map(repository_id).collect();
        // A repository without a project, or with an unfinished one without commits, holds no work.
        entities.retain(|key| {
            let id = repository_id(key);
            let mut projects = repositories.iter();
            id.is_none_or(|id| projects.any(|project| project.id == id.number()))
        });
        let unfinished = unfinished.iter();
        Ok(Self {
            repositories,
            entities,
            named,
            unfinished: unfinished
                .map(|project| RepositoryId::new(project.id))
                .collect(),
            in_group,
            has_manifests,
            invalid,
            of_people: Vec::new(),
        })
    }

    /// Adds what people have put into the configuration repository.
    pub(crate) async fn with_files_of_people(
        self,
        client: &Client,
        config_project: Option<&Project>,
    ) -> Result<Self, Diagnostics> {
        let Some(project) = config_project else {
            return Ok(self);
        };
        let branch = &client.settings().commit.branch;
        let found = files_of_people(client.gitlab()?, project, branch).await;
        let path = &project.path_with_namespace;
        let of_people = found.with_context(|| format!("read the contents of {path}"))?;
        Ok(Self { of_people, ..self })
    }

    /// Reads the repositories that no manifest names.
    ///
    /// At plan time the others are no reason to refuse: Terraform plans the deletions of removed
    /// resources in any order.
    pub(crate) async fn unmanaged(
        client: &Client,
        product: ProductId,
        config_project: Option<u64>,
    ) -> Result<Self, Diagnostics> {
        let mut repositories = repositories(client, product).await?;
        // A half-destroyed repository has no manifest any more; its destroy continues.
        repositories.retain(|project| !is_unfinished(project) && !is_destroying(project));
        if !repositories.is_empty() {
            let (entities, _) = manifests(client, product, config_project).await?;
            repositories.retain(|project| {
                let id = Some(RepositoryId::new(project.id));
                !entities.iter().any(|key| repository_id(key) == id)
            });
        }
        Ok(Self {
            repositories,
            ..Self::default()
        })
    }

    /// The repositories in the group that may have credentials: those that a manifest names, and
    /// those that were never finished.
    pub(crate) fn with_credentials(&self) -> Vec<Owner> {
        let ours = self.named.union(&self.unfinished);
        ours.filter_map(|id| self.in_group.get(id).cloned())
            .collect()
    }

    /// The repositories that a manifest names, and that are not in the group.
    pub(crate) fn named_elsewhere(&self) -> BTreeSet<RepositoryId> {
        let elsewhere = |id: &&RepositoryId| !self.in_group.contains_key(id);
        self.named.iter().filter(elsewhere).copied().collect()
    }

    /// Whether the configuration repository holds a manifest, a file in the place of one, or something
    /// of people.
    pub(crate) fn is_in_use(&self) -> bool {
        self.has_manifests || !self.invalid.is_empty() || !self.of_people.is_empty()
    }

    /// Refuses to destroy a product that is not empty, unless its attributes permit that. What is
    /// archived, or was kept by a destroy of this run, is never destroyed with its product.
    pub(crate) fn check(
        &self,
        client: &Client,
        name: &str,
        force_destroy: Option<bool>,
    ) -> Result<(), Diagnostics> {
        if force_destroy == Some(true) {
            return self.check_kept(client, name);
        }
        if self.repositories.is_empty()
            && self.entities.is_empty()
            && self.invalid.is_empty()
            && self.of_people.is_empty()
        {
            return Ok(());
        }
        let mut detail =
            format!("The product {name} cannot be destroyed, because it still holds:\n");
        for project in &self.repositories {
            let archived = if project.archived { " (archived)" } else { "" };
            let path = &project.path_with_namespace;
            let _ = writeln!(detail, "  - the repository {path}{archived}");
        }
        for key in &self.entities {
            let _ = writeln!(detail, "  - the {key}");
        }
        for path in &self.invalid {
            let name = config_repository::NAME;
            let _ = writeln!(
                detail,
                "  - the file {path} in {name}, which is no manifest that can be read"
            );
        }
        for found in self.of_people.iter().take(SHOWN_FILES) {
            let _ = writeln!(detail, "  - {found} in {}", config_repository::NAME);
        }
        if let Some(more) = self.of_people.len().checked_sub(SHOWN_FILES + 1) {
            let _ = writeln!(
                detail,
                "  - {} more in {}",
                more + 1,
                config_repository::NAME
            );
        }
        detail.push_str("\nDelete or move these first. To destroy the product with everything in it, set force_destroy = true and apply that before destroying.");
        Err(Diagnostic::error(format!("The product {name} is not empty"), detail).into())
    }

    fn check_kept(&self, client: &Client, name: &str) -> Result<(), Diagnostics> {
        let code_repos = client.code_repos()?;
        let is_kept = |project: &&Project| {
            project.archived || code_repos.is_kept(RepositoryId::new(project.id))
        };
        let kept: Vec<&str> = self
            .repositories
            .iter()
            .filter(is_kept)
            .map(|project| project.path_with_namespace.as_str())
            .collect();
        if kept.is_empty() {
            return Ok(());
        }
        let detail = format!(
            "Its group holds repositories that were kept on purpose, archived or abandoned: {}. force_destroy does not cover them. Move or delete them in GitLab, or set deletion_policy = \"abandon\" on the product and apply that before destroying: then its group stays.",
            kept.join(", ")
        );
        let summary = format!("The product {name} holds repositories that are kept");
        Err(Diagnostic::error(summary, detail).into())
    }
}

/// Lists the files in a configuration repository that are neither manifests nor its README, and its
/// branches that have other commits.
async fn files_of_people(
    gitlab: &GitLab,
    project: &Project,
    ours: &str,
) -> Result<Vec<String>, Error> {
    let product = Repository::Product(ProductId::new(project.namespace.id));
    let branches = gitlab.branches(project.id).await?;
    let Some(own) = branches.iter().find(|branch| branch.name == ours) else {
        return Ok(branches.iter().map(describe_branch).collect());
    };
    let tree = gitlab.tree(project.id, &own.commit.id).await?;
    let files = tree
        .iter()
        .filter(|entry| entry.entry_type != EntryType::Tree);
    let files = files.filter(|file| {
        file.path != README
            && file.path != product.kustomization_path()
            && !product.may_hold_manifest(&file.path)
    });
    let files = files.map(|file| format!("the file {}", file.path));
    let others = branches.iter().filter(|branch| branch.commit != own.commit);
    Ok(files.chain(others.map(describe_branch)).collect())
}

fn describe_branch(branch: &Branch) -> String {
    format!("the branch {}", branch.name)
}

/// The id of the repository that an entity is, if it is one.
fn repository_id(key: &EntityKey) -> Option<RepositoryId> {
    match key.kind {
        Kind::CodeRepo => key.name.parse().ok(),
        _ => None,
    }
}

/// The projects of a product, but for its configuration repository and what is marked for deletion.
async fn repositories(client: &Client, product: ProductId) -> Result<Vec<Project>, Diagnostics> {
    let mut projects = all_repositories(client, product).await?;
    projects.retain(|project| !project.is_marked_for_deletion());
    Ok(projects)
}

/// The projects of a product, but for its configuration repository.
async fn all_repositories(
    client: &Client,
    product: ProductId,
) -> Result<Vec<Project>, Diagnostics> {
    let projects = client.gitlab()?.group_projects(product.number()).await;
    let mut projects = projects.with_context(|| format!("list the projects of {product}"))?;
    projects.retain(|project| {
        let is_config_repository =
            project.path == config_repository::NAME && project.namespace.id == product.number();
        !is_config_repository
    });
    Ok(projects)
}

fn is_destroying(project: &Project) -> bool {
    unfinished::is_destroying(project.description.as_deref().unwrap_or_default())
}

fn is_unfinished(project: &Project) -> bool {
    unfinished::is_marked(project.description.as_deref().unwrap_or_default())
}

/// The entities of a product, and the paths of files that should hold one but cannot be read.
async fn manifests(
    client: &Client,
    product: ProductId,
    config_project: Option<u64>,
) -> Result<(Vec<EntityKey>, Vec<String>), Diagnostics> {
    let Some(config_project) = config_project else {
        return Ok((Vec::new(), Vec::new()));
    };
    let repository = client
        .config_repositories()?
        .product(product, config_project);
    let snapshot = repository.fresh_snapshot().await;
    let snapshot = snapshot.with_context(|| format!("read the manifests of {product}"))?;
    let tree = snapshot.tree();
    let invalid = tree.invalid_files().map(|(path, _)| path.to_owned());
    Ok((
        tree.entities().map(Entity::key).collect(),
        invalid.collect(),
    ))
}

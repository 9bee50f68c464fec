//! What the servers hold, read behind the provider's back.

use std::collections::{BTreeMap, BTreeSet};

use gitlab_emulator::Emulator;
use gitlab_emulator::domain::namespace::Namespace;
use gitlab_emulator::domain::project::Project;
use gitlab_emulator::domain::state::State;
use gitlab_emulator::domain::table::Id;
use gitlab_emulator::git::Repositories;
use gitlab_emulator::git::history::Selection;

/// The path of a product's configuration repository in its group.
pub(crate) const CONFIG: &str = "default.project";

/// A GitLab.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct GitLabView {
    pub(crate) groups: BTreeMap<u64, GroupView>,
    pub(crate) projects: BTreeMap<u64, ProjectView>,
}

/// A group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GroupView {
    pub(crate) path: String,
    pub(crate) full_path: String,
    pub(crate) parent: Option<u64>,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) visibility: &'static str,
    /// Whether neither it nor a group above it is marked for deletion or being removed.
    pub(crate) is_alive: bool,
}

/// A project.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ProjectView {
    pub(crate) path: String,
    pub(crate) full_path: String,
    pub(crate) group: u64,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) visibility: &'static str,
    pub(crate) default_branch: Option<String>,
    pub(crate) is_archived: bool,
    /// Whether neither it nor a group above it is marked for deletion or being removed.
    pub(crate) is_alive: bool,
    /// Branches and tags with their commits.
    pub(crate) references: BTreeMap<String, String>,
    /// Whether it holds more than one commit, or a tag.
    pub(crate) has_work: bool,
    /// Deploy keys by number: title and whether they may push.
    pub(crate) keys: BTreeMap<u64, (String, bool)>,
    /// The active access tokens of its own.
    pub(crate) tokens: BTreeSet<u64>,
    /// The files of a configuration repository, with their blobs.
    pub(crate) files: BTreeMap<String, String>,
}

impl ProjectView {
    pub(crate) fn is_config_repository(&self) -> bool {
        self.path == CONFIG
    }
}

impl GitLabView {
    /// Reads everything; the emulator must be idle.
    pub(crate) fn read(emulator: &Emulator, repositories: &Repositories) -> anyhow::Result<Self> {
        let mut view = emulator.seed(|state, _| Self {
            groups: state
                .namespaces
                .iter()
                .filter(|namespace| namespace.is_group())
                .map(|group| (group.id.number(), group_view(state, group)))
                .collect(),
            projects: state
                .projects
                .iter()
                .map(|project| (project.id.number(), project_view(state, project)))
                .collect(),
        });
        for (number, project) in &mut view.projects {
            read_repository(repositories, *number, project)?;
        }
        Ok(view)
    }

    /// Returns the configuration repository of a product.
    pub(crate) fn config_repository(&self, product: u64) -> Option<(u64, &ProjectView)> {
        let mut projects = self.projects.iter();
        let found = projects
            .find(|(_, project)| project.group == product && project.is_config_repository());
        found.map(|(number, project)| (*number, project))
    }

    /// Returns the living projects of a group other than its configuration repository.
    pub(crate) fn repositories(&self, product: u64) -> impl Iterator<Item = (u64, &ProjectView)> {
        let projects = self.projects.iter().filter(move |(_, project)| {
            project.group == product && project.is_alive && !project.is_config_repository()
        });
        projects.map(|(number, project)| (*number, project))
    }

    pub(crate) fn is_project_alive(&self, number: u64) -> bool {
        self.projects
            .get(&number)
            .is_some_and(|project| project.is_alive)
    }
}

fn is_namespace_alive(state: &State, id: Id<Namespace>) -> bool {
    state
        .self_and_ancestors(id)
        .all(|group| group.deletion.is_none() && !group.is_being_removed)
}

fn group_view(state: &State, group: &Namespace) -> GroupView {
    GroupView {
        path: group.path.clone(),
        full_path: state.namespace_path(group.id),
        parent: group.parent.map(Id::number),
        name: group.name.clone(),
        description: group.description.clone(),
        visibility: group.visibility.name(),
        is_alive: is_namespace_alive(state, group.id),
    }
}

fn project_view(state: &State, project: &Project) -> ProjectView {
    let keys = state.deploy_keys(project.id).map(|(key, link)| {
        let number = key.id.number();
        (number, (key.title.clone(), link.can_push))
    });
    let of_project = |user: &gitlab_emulator::domain::user::User| {
        user.bot_of == Some(gitlab_emulator::domain::user::Resource::Project(project.id))
    };
    let tokens = state
        .tokens
        .iter()
        .filter(|token| !token.is_revoked && state.users.get(token.user).is_some_and(of_project));
    ProjectView {
        path: project.path.clone(),
        full_path: state.project_path(project),
        group: project.namespace.number(),
        name: project.name.clone(),
        description: project.description.clone().unwrap_or_default(),
        visibility: project.visibility.name(),
        default_branch: project.default_branch.clone(),
        is_archived: project.is_archived,
        is_alive: project.deletion.is_none()
            && !project.is_being_removed
            && is_namespace_alive(state, project.namespace),
        references: BTreeMap::new(),
        has_work: false,
        keys: keys.collect(),
        tokens: tokens.map(|token| token.id.number()).collect(),
        files: BTreeMap::new(),
    }
}

fn read_repository(
    repositories: &Repositories,
    number: u64,
    project: &mut ProjectView,
) -> anyhow::Result<()> {
    let repository = match repositories.open(number) {
        Ok(repository) => repository,
        // It is removed from disk last.
        Err(_) if !project.is_alive => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let branches = repository.branches()?;
    let tags = repository.tags()?;
    let mut heads = BTreeSet::new();
    for (branch, head) in &branches {
        heads.insert(*head);
        let name = format!("branch {branch}");
        project.references.insert(name, head.to_string());
    }
    for (tag, target) in &tags {
        let name = format!("tag {tag}");
        project.references.insert(name, target.to_string());
    }
    let heads: Vec<_> = heads.into_iter().collect();
    let commits = repository.log(&heads, &Selection::default())?.len();
    project.has_work = commits > 1 || !tags.is_empty();
    if project.is_config_repository()
        && let Some(head) = repository.branch("main")?
        && let Some(entries) = repository.list(head, "", true)?
    {
        let files = entries.iter().filter(|entry| !entry.mode.is_tree());
        project.files = files
            .map(|entry| (entry.path.clone(), entry.id.to_string()))
            .collect();
    }
    Ok(())
}

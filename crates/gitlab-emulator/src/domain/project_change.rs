//! Creating and changing projects (GitLab `app/services/projects/create_service.rb`).

use serde_json::{Map, Value};

use super::invalid::Invalid;
use super::level::{AccessLevel, Visibility};
use super::member::Member;
use super::namespace::{Namespace, NamespaceKind};
use super::naming::{self, Named};
use super::project::Project;
use super::state::State;
use super::table::Id;
use super::time::Moment;
use super::user::{Resource, User};

const TAKEN: &str = "has already been taken";

/// What a project has besides its place.
#[derive(Clone, Debug, Default)]
pub struct ProjectChange {
    /// The name for people.
    pub name: Option<String>,
    /// The last segment of the full path.
    pub path: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Who can see it.
    pub visibility: Option<Visibility>,
    /// The branch that HEAD names.
    pub default_branch: Option<String>,
    /// Labels for finding it.
    pub topics: Option<Vec<String>>,
    /// The settings that are only kept and shown.
    pub attributes: Map<String, Value>,
}

impl State {
    /// The branch that HEAD of a project names, or would name if it had a commit.
    pub fn default_branch(&self, project: &Project) -> String {
        let of_group = || {
            self.self_and_ancestors(project.namespace)
                .find_map(|group| group.attributes.get("default_branch")?.as_str())
                .map(str::to_owned)
        };
        project
            .default_branch
            .clone()
            .or_else(of_group)
            .unwrap_or_else(|| self.settings.get().default_branch_name.clone())
    }

    /// Creates a project; in a personal namespace its owner becomes a member.
    pub fn create_project(
        &mut self,
        namespace: Id<Namespace>,
        change: ProjectChange,
        creator: Id<User>,
        now: Moment,
    ) -> Result<Id<Project>, Invalid> {
        let (name, path) = match (change.name, change.path) {
            (Some(name), Some(path)) => (name, path),
            (Some(name), None) => {
                let path = naming::path_from_name(&name);
                (name, path)
            }
            (None, Some(path)) => (path.clone(), path),
            (None, None) => (String::new(), String::new()),
        };
        let Some(holder) = self.namespaces.get(namespace) else {
            return Err(Invalid::field("namespace", "is not valid"));
        };
        let wanted = change
            .visibility
            .unwrap_or(self.settings.get().default_project_visibility);
        let visibility = match holder.kind {
            NamespaceKind::Group => wanted.min(holder.visibility),
            NamespaceKind::User(_) => wanted,
        };
        let owner = match holder.kind {
            NamespaceKind::User(owner) => Some(owner),
            NamespaceKind::Group => None,
        };

        let mut invalid = Invalid::default();
        self.check_project_place(namespace, None, &name, &path, &mut invalid);
        let is_restricted = self
            .settings
            .get()
            .restricted_visibility_levels
            .contains(&visibility);
        if is_restricted && !self.users.get(creator).is_some_and(|user| user.is_admin) {
            let text = format!(
                "{} has been restricted by your GitLab administrator",
                visibility.name()
            );
            invalid.add("visibility_level", text);
        }
        invalid.into_result()?;

        let id = self.projects.add(|id| Project {
            id,
            namespace,
            name,
            path,
            description: change.description,
            visibility,
            default_branch: change.default_branch,
            is_archived: false,
            deletion: None,
            is_being_removed: false,
            creator,
            created_at: now,
            updated_at: now,
            last_activity_at: now,
            topics: change.topics.unwrap_or_default(),
            attributes: change.attributes,
        });
        self.add_project_route(id);
        if let Some(owner) = owner {
            self.members.add(|member| Member {
                id: member,
                of: Resource::Project(id),
                user: owner,
                level: AccessLevel::Owner,
                expires_at: None,
                created_by: Some(creator),
                created_at: now,
            });
        }
        Ok(id)
    }

    /// Changes a project.
    pub fn change_project(
        &mut self,
        id: Id<Project>,
        change: ProjectChange,
        now: Moment,
    ) -> Result<(), Invalid> {
        let Some(project) = self.projects.get(id) else {
            return Ok(());
        };
        let namespace = project.namespace;
        let name = change.name.unwrap_or_else(|| project.name.clone());
        let path = change.path.unwrap_or_else(|| project.path.clone());
        let visibility = change.visibility.unwrap_or(project.visibility);

        let mut invalid = Invalid::default();
        self.check_project_place(namespace, Some(id), &name, &path, &mut invalid);
        let holder = self
            .namespaces
            .get(namespace)
            .filter(|holder| holder.is_group());
        if holder.is_some_and(|holder| holder.visibility < visibility) {
            let text = format!(
                "{} is not allowed in a {} group.",
                visibility.name(),
                holder.map_or("private", |holder| holder.visibility.name())
            );
            invalid.add("visibility_level", text);
        }
        invalid.into_result()?;

        self.change_paths(|state| {
            let Some(project) = state.projects.get_mut(id) else {
                return;
            };
            project.name = name;
            project.path = path;
            project.visibility = visibility;
            project.updated_at = now;
            if let Some(description) = change.description {
                project.description = Some(description);
            }
            if let Some(default_branch) = change.default_branch {
                project.default_branch = Some(default_branch);
            }
            if let Some(topics) = change.topics {
                project.topics = topics;
            }
            project.attributes.extend(change.attributes);
        });
        Ok(())
    }

    /// Moves a project to another namespace.
    pub fn transfer_project(
        &mut self,
        id: Id<Project>,
        namespace: Id<Namespace>,
        now: Moment,
    ) -> Result<(), Invalid> {
        let Some(project) = self.projects.get(id) else {
            return Ok(());
        };
        if project.namespace == namespace {
            return Err(Invalid::field(
                "base",
                "Project is already in this namespace.",
            ));
        }
        if self.is_path_taken(Some(namespace), &project.path) {
            return Err(Invalid::field(
                "base",
                "Project with same name or path in target namespace already exists",
            ));
        }
        self.change_paths(|state| {
            if let Some(project) = state.projects.get_mut(id) {
                project.namespace = namespace;
                project.updated_at = now;
            }
        });
        Ok(())
    }

    fn check_project_place(
        &self,
        namespace: Id<Namespace>,
        own: Option<Id<Project>>,
        name: &str,
        path: &str,
        invalid: &mut Invalid,
    ) {
        let siblings = || {
            self.projects
                .iter()
                .filter(move |other| other.namespace == namespace && Some(other.id) != own)
        };
        let is_own_path = own
            .and_then(|own| self.projects.get(own))
            .is_some_and(|project| project.path.eq_ignore_ascii_case(path));
        let is_path_taken = !is_own_path && self.is_path_taken(Some(namespace), path);
        let is_name_taken = siblings().any(|other| other.name.eq_ignore_ascii_case(name));
        let is_removed_at_path =
            siblings().any(|other| other.is_being_removed && other.path.eq_ignore_ascii_case(path));
        if is_removed_at_path {
            invalid.add("project_namespace.name", TAKEN);
            invalid.add(
                "base",
                "The project is still being deleted. Please try again later.",
            );
            return;
        }
        if is_path_taken || is_name_taken {
            invalid.add("project_namespace.name", TAKEN);
        }
        if is_name_taken {
            invalid.add("name", TAKEN);
        }
        if is_path_taken {
            invalid.add("path", TAKEN);
        }
        naming::check_name(name, Named::Project, invalid);
        naming::check_path(path, Named::Project, invalid);
    }
}

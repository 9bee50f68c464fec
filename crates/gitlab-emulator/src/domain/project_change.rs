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
/// GitLab's maximum length of a project's description.
const MAX_DESCRIPTION_LENGTH: usize = 2000;

/// The attributes of a project, apart from its namespace.
#[derive(Clone, Debug, Default)]
pub struct ProjectChange {
    /// Display name.
    pub name: Option<String>,
    /// Last segment of the full path.
    pub path: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Visibility.
    pub visibility: Option<Visibility>,
    /// The branch of HEAD.
    pub default_branch: Option<String>,
    /// Topics.
    pub topics: Option<Vec<String>>,
    /// Settings that are only stored and shown.
    pub attributes: Map<String, Value>,
}

impl State {
    /// Returns the default branch of a project, or the one that it will have.
    pub fn default_branch(&self, project: &Project) -> String {
        let group_default = || {
            self.self_and_ancestors(project.namespace)
                .find_map(|group| group.attributes.get("default_branch")?.as_str())
                .map(str::to_owned)
        };
        project
            .default_branch
            .clone()
            .or_else(group_default)
            .unwrap_or_else(|| self.settings.get().default_branch_name.clone())
    }

    /// Creates a project. In a personal namespace its owner becomes a member.
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
        let Some(parent) = self.namespaces.get(namespace) else {
            return Err(Invalid::field("namespace", "is not valid"));
        };
        let wanted = change
            .visibility
            .unwrap_or(self.settings.get().default_project_visibility);
        let visibility = match parent.kind {
            NamespaceKind::Group => wanted.min(parent.visibility),
            NamespaceKind::User(_) => wanted,
        };
        let owner = match parent.kind {
            NamespaceKind::User(owner) => Some(owner),
            NamespaceKind::Group => None,
        };

        let mut invalid = Invalid::default();
        self.check_project_name_and_path(namespace, None, &name, &path, &mut invalid);
        check_description(change.description.as_deref(), &mut invalid);
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
                resource: Resource::Project(id),
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
        self.check_project_name_and_path(namespace, Some(id), &name, &path, &mut invalid);
        check_description(change.description.as_deref(), &mut invalid);
        let parent = self
            .namespaces
            .get(namespace)
            .filter(|parent| parent.is_group());
        if parent.is_some_and(|parent| parent.visibility < visibility) {
            let text = format!(
                "{} is not allowed in a {} group.",
                visibility.name(),
                parent.map_or("private", |parent| parent.visibility.name())
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

    fn check_project_name_and_path(
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
        let current = own.and_then(|own| self.projects.get(own));
        let is_own_path = current.is_some_and(|project| project.path.eq_ignore_ascii_case(path));
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
        // Names and paths that do not change may have been created under older rules.
        if current.is_none_or(|project| project.name != name) {
            naming::check_name(name, Named::Project, invalid);
        }
        let is_changed = current.is_none_or(|project| project.path != path);
        let errors = naming::path_errors(path, Named::Project, is_changed);
        for error in &errors {
            invalid.add("path", error);
        }
        // GitLab also validates the namespace that stands for the project.
        for error in errors.iter().rev() {
            invalid.add("project_namespace.path", error);
        }
    }
}

fn check_description(description: Option<&str>, invalid: &mut Invalid) {
    if description.is_some_and(|text| text.chars().count() > MAX_DESCRIPTION_LENGTH) {
        let text = format!("is too long (maximum is {MAX_DESCRIPTION_LENGTH} characters)");
        invalid.add("description", text);
    }
}

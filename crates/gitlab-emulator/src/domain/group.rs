//! Creating and changing groups.

use serde_json::{Map, Value};

use super::invalid::Invalid;
use super::level::{AccessLevel, Visibility};
use super::member::Member;
use super::namespace::{Namespace, NamespaceKind, ProjectCreation};
use super::naming::{self, Named};
use super::state::State;
use super::table::Id;
use super::time::Moment;
use super::user::{Resource, User};

/// GitLab's maximum length of a group's description.
const MAX_DESCRIPTION_LENGTH: usize = 500;

/// The attributes of a group, apart from its parent.
#[derive(Clone, Debug, Default)]
pub struct GroupChange {
    /// Display name.
    pub name: Option<String>,
    /// Last segment of the full path.
    pub path: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Visibility.
    pub visibility: Option<Visibility>,
    /// Who may create projects in it.
    pub project_creation: Option<ProjectCreation>,
    /// The lowest level that may create subgroups in it.
    pub subgroup_creation: Option<AccessLevel>,
    /// Settings that are only stored and shown.
    pub attributes: Map<String, Value>,
}

impl State {
    /// Creates a group. Its creator becomes the owner of a top-level group, and of a subgroup
    /// unless the ownership is inherited.
    pub fn create_group(
        &mut self,
        parent: Option<Id<Namespace>>,
        change: GroupChange,
        creator: Id<User>,
        now: Moment,
    ) -> Result<Id<Namespace>, Invalid> {
        let name = change.name.unwrap_or_default();
        let path = change.path.unwrap_or_default();
        let description = change.description.unwrap_or_default();
        let default_visibility = parent
            .and_then(|parent| self.namespaces.get(parent))
            .map_or(self.settings.get().default_group_visibility, |parent| {
                parent.visibility
            });
        let visibility = change.visibility.unwrap_or(default_visibility);

        let mut invalid = Invalid::default();
        self.check_group_name_and_path(parent, None, &name, &path, &mut invalid);
        self.check_group_values(parent, &description, visibility, &mut invalid);
        invalid.into_result()?;

        let id = self.namespaces.add(|id| Namespace {
            id,
            kind: NamespaceKind::Group,
            name,
            path,
            parent,
            description,
            visibility,
            created_at: now,
            updated_at: now,
            deletion: None,
            is_being_removed: false,
            is_archived: false,
            project_creation: change
                .project_creation
                .unwrap_or(ProjectCreation::Developer),
            subgroup_creation: change.subgroup_creation.unwrap_or(AccessLevel::Maintainer),
            has_registry_images: false,
            attributes: change.attributes,
        });
        self.add_namespace_route(id);
        let resource = Resource::Group(id);
        if self.user_level(creator, resource, now) != Some(AccessLevel::Owner) {
            self.members.add(|member| Member {
                id: member,
                resource,
                user: creator,
                level: AccessLevel::Owner,
                expires_at: None,
                created_by: Some(creator),
                created_at: now,
            });
        }
        Ok(id)
    }

    /// Changes a group; paths below it change too.
    pub fn change_group(
        &mut self,
        id: Id<Namespace>,
        change: GroupChange,
        now: Moment,
    ) -> Result<(), Invalid> {
        let Some(group) = self.namespaces.get(id) else {
            return Ok(());
        };
        let parent = group.parent;
        let name = change.name.unwrap_or_else(|| group.name.clone());
        let path = change.path.unwrap_or_else(|| group.path.clone());
        let description = change
            .description
            .unwrap_or_else(|| group.description.clone());
        let visibility = change.visibility.unwrap_or(group.visibility);

        let mut invalid = Invalid::default();
        self.check_group_name_and_path(parent, Some(id), &name, &path, &mut invalid);
        self.check_group_values(parent, &description, visibility, &mut invalid);
        invalid.into_result()?;

        self.change_paths(|state| {
            let Some(group) = state.namespaces.get_mut(id) else {
                return;
            };
            group.name = name;
            group.path = path;
            group.description = description;
            group.visibility = visibility;
            group.updated_at = now;
            if let Some(project_creation) = change.project_creation {
                group.project_creation = project_creation;
            }
            if let Some(subgroup_creation) = change.subgroup_creation {
                group.subgroup_creation = subgroup_creation;
            }
            group.attributes.extend(change.attributes);
        });
        Ok(())
    }

    /// Moves a group below another one, or to the top level.
    pub fn transfer_group(
        &mut self,
        id: Id<Namespace>,
        parent: Option<Id<Namespace>>,
        now: Moment,
    ) -> Result<(), Invalid> {
        let Some(group) = self.namespaces.get(id) else {
            return Ok(());
        };
        if group.parent == parent {
            return Err(Invalid::field(
                "base",
                match parent {
                    Some(_) => {
                        "Transfer failed: The group is already associated to the parent group."
                    }
                    None => "Transfer failed: Group is already a root group.",
                },
            ));
        }
        if self.is_path_taken(parent, &group.path) {
            return Err(Invalid::field(
                "base",
                "Transfer failed: The parent group already has a subgroup or a project with the same path.",
            ));
        }
        let is_below = parent
            .is_some_and(|parent| self.self_and_ancestors(parent).any(|above| above.id == id));
        if is_below {
            return Err(Invalid::field(
                "base",
                "Transfer failed: Cannot transfer group to one of its subgroups.",
            ));
        }
        self.change_paths(|state| {
            if let Some(group) = state.namespaces.get_mut(id) {
                group.parent = parent;
                group.updated_at = now;
            }
        });
        Ok(())
    }

    fn check_group_name_and_path(
        &self,
        parent: Option<Id<Namespace>>,
        own: Option<Id<Namespace>>,
        name: &str,
        path: &str,
        invalid: &mut Invalid,
    ) {
        let named = Named::Group {
            is_top_level: parent.is_none(),
        };
        let current = own.and_then(|own| self.namespaces.get(own));
        if current.is_none_or(|group| group.name != name) {
            naming::check_name(name, named, invalid);
        }
        let is_name_taken = parent.is_some()
            && self.namespaces.any(|other| {
                other.is_group()
                    && Some(other.id) != own
                    && other.parent == parent
                    && other.name.eq_ignore_ascii_case(name)
            });
        if is_name_taken {
            invalid.add("name", "has already been taken");
        }
        let is_changed = current.is_none_or(|group| group.path != path);
        for error in naming::path_errors(path, named, is_changed) {
            invalid.add("path", error);
        }
        let is_new_path = current.is_none_or(|group| !group.path.eq_ignore_ascii_case(path));
        if is_new_path && self.is_path_taken(parent, path) {
            invalid.add("path", "has already been taken");
        }
    }

    fn check_group_values(
        &self,
        parent: Option<Id<Namespace>>,
        description: &str,
        visibility: Visibility,
        invalid: &mut Invalid,
    ) {
        if description.chars().count() > MAX_DESCRIPTION_LENGTH {
            let text = format!("is too long (maximum is {MAX_DESCRIPTION_LENGTH} characters)");
            invalid.add("description", text);
        }
        let parent = parent.and_then(|parent| self.namespaces.get(parent));
        if let Some(parent) = parent.filter(|parent| parent.visibility < visibility) {
            invalid.add(
                "visibility_level",
                format!(
                    "{} is not allowed since this group is in a {} group",
                    visibility.name(),
                    parent.visibility.name()
                ),
            );
        }
    }
}

//! Making users.

use super::invalid::Invalid;
use super::level::Visibility;
use super::namespace::{Namespace, NamespaceKind, ProjectCreation};
use super::naming::{self, Named};
use super::state::State;
use super::table::Id;
use super::time::Moment;
use super::user::{User, UserState};

/// A user to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The name in paths and mentions.
    pub username: String,
    /// The name for people.
    pub name: String,
    /// The address that commits get.
    pub email: String,
    /// Whether the account administers the instance.
    pub is_admin: bool,
    /// Whether the account may create top-level groups; the instance's default when `None`.
    pub can_create_group: Option<bool>,
    /// How many projects its own namespace may hold; the instance's default when `None`.
    pub projects_limit: Option<u64>,
}

impl State {
    /// Makes a user with a personal namespace. The error is GitLab's text.
    pub fn create_user(&mut self, new: NewUser, now: Moment) -> Result<Id<User>, UserTaken> {
        if self
            .users
            .any(|user| user.email.eq_ignore_ascii_case(&new.email))
        {
            return Err(UserTaken::Email);
        }
        let mut invalid = Invalid::default();
        naming::check_path(
            &new.username,
            Named::Group { is_top_level: true },
            &mut invalid,
        );
        if self
            .users
            .any(|user| user.username.eq_ignore_ascii_case(&new.username))
            || self.is_path_taken(None, &new.username)
        {
            return Err(UserTaken::Username);
        }
        if !invalid.is_empty() {
            return Err(UserTaken::Invalid(invalid));
        }
        let settings = self.settings.get();
        let can_create_group = new.can_create_group.unwrap_or(settings.can_create_group);
        let projects_limit = new
            .projects_limit
            .unwrap_or(settings.default_projects_limit);
        let id = self.users.add(|id| User {
            id,
            username: new.username.clone(),
            name: new.name.clone(),
            email: new.email,
            state: UserState::Active,
            is_admin: new.is_admin,
            bot_of: None,
            can_create_group,
            projects_limit,
            namespace: None,
            created_at: now,
        });
        let namespace = self.namespaces.add(|namespace| Namespace {
            id: namespace,
            kind: NamespaceKind::User(id),
            name: new.name,
            path: new.username,
            parent: None,
            description: String::new(),
            visibility: Visibility::Public,
            created_at: now,
            updated_at: now,
            deletion: None,
            is_being_removed: false,
            is_archived: false,
            project_creation: ProjectCreation::Noone,
            subgroup_creation: super::level::AccessLevel::Owner,
            has_registry_images: false,
            attributes: serde_json::Map::new(),
        });
        if let Some(user) = self.users.get_mut(id) {
            user.namespace = Some(namespace);
        }
        self.add_namespace_route(namespace);
        Ok(id)
    }
}

/// Why a user was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserTaken {
    /// The address belongs to somebody.
    #[error("Email has already been taken")]
    Email,
    /// The name belongs to somebody.
    #[error("Username has already been taken")]
    Username,
    /// The name is not legal.
    #[error("the name is not legal")]
    Invalid(#[source] Invalid),
}

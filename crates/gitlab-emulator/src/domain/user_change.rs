//! Creating users.

use super::invalid::Invalid;
use super::level::Visibility;
use super::namespace::{Namespace, NamespaceKind, ProjectCreation};
use super::naming::{self, Named};
use super::state::State;
use super::table::Id;
use super::time::Moment;
use super::user::{User, UserState};

/// A user to create.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// User name.
    pub username: String,
    /// Display name.
    pub name: String,
    /// Email address.
    pub email: String,
    /// Whether the account administers the instance.
    pub is_admin: bool,
    /// Whether the account may create top-level groups; `None` for the instance's default.
    pub can_create_group: Option<bool>,
    /// Project limit of the personal namespace; `None` for the instance's default.
    pub projects_limit: Option<u64>,
}

impl State {
    /// Creates a user with a personal namespace. The error is GitLab's text.
    pub fn create_user(&mut self, new: NewUser, now: Moment) -> Result<Id<User>, UserTaken> {
        if self
            .users
            .any(|user| user.email.eq_ignore_ascii_case(&new.email))
        {
            return Err(UserTaken::Email);
        }
        let mut invalid = Invalid::default();
        let named = Named::Group { is_top_level: true };
        for error in naming::path_errors(&new.username, named, true) {
            invalid.add("username", error);
        }
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

/// An error that kept a user from being created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserTaken {
    /// Another account has the email address.
    #[error("Email has already been taken")]
    Email,
    /// Another account has the user name.
    #[error("Username has already been taken")]
    Username,
    /// The user name is not valid.
    #[error("the user name is not valid")]
    Invalid(#[source] Invalid),
}

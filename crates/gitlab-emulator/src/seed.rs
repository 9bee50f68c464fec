//! Creates state that no request can produce (tokens of other kinds or in other states, registry
//! images), and state that takes several requests: users with tokens, bots, members.

use serde::{Deserialize, Serialize};

use crate::domain::access::Viewer;
use crate::domain::key::KeyOwner;
use crate::domain::level::AccessLevel;
use crate::domain::member::Member;
use crate::domain::namespace::Namespace;
use crate::domain::resource_token::NewResourceToken;
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::domain::time::Day;
use crate::domain::token::{Scope, TokenDigest, TokenKind};
use crate::domain::token_change::NewToken;
use crate::domain::user::{Resource, User};
use crate::domain::user_change::NewUser;
use crate::instance::Instance;
use crate::random;

/// A token to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedToken {
    /// Name of the user that the token authenticates.
    pub username: String,
    /// Kind of the token.
    #[serde(default = "personal")]
    pub kind: TokenKind,
    /// Scopes.
    #[serde(default)]
    pub scopes: Vec<Scope>,
    /// Expiry day, exclusive; may be in the past.
    #[serde(default)]
    pub expires_at: Option<Day>,
    /// Whether it is revoked.
    #[serde(default)]
    pub is_revoked: bool,
}

const fn personal() -> TokenKind {
    TokenKind::Personal
}

/// An error that kept state from being created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// No user has this name.
    #[error("user {0} does not exist")]
    NoUser(String),
    /// No deploy key has this ID.
    #[error("deploy key {0} does not exist")]
    NoDeployKey(u64),
    /// No group has this ID.
    #[error("group {0} does not exist")]
    NoGroup(u64),
    /// No project has this ID.
    #[error("project {0} does not exist")]
    NoProject(u64),
    /// GitLab's rules do not allow it.
    #[error("{0}")]
    Refused(String),
}

/// A project or group access token to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedAccessToken {
    /// The project or group.
    pub resource: Resource,
    /// Name of the token and its bot.
    #[serde(default = "seeded")]
    pub name: String,
    /// Level of the bot.
    pub access_level: AccessLevel,
    /// Scopes.
    #[serde(default = "api")]
    pub scopes: Vec<Scope>,
}

impl SeedAccessToken {
    /// Creates the description of a token with the scope `api`.
    pub fn new(resource: Resource, access_level: AccessLevel) -> Self {
        Self {
            resource,
            name: seeded(),
            access_level,
            scopes: api(),
        }
    }
}

fn seeded() -> String {
    "seeded".to_owned()
}

fn api() -> Vec<Scope> {
    vec![Scope::Api]
}

/// A token that was created, with its user.
#[derive(Clone, Serialize)]
pub struct SeededToken {
    /// ID of the token.
    pub id: u64,
    /// ID of the user or bot that it authenticates.
    pub user_id: u64,
    /// The secret.
    pub token: String,
}

impl std::fmt::Debug for SeededToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token is secret.
        formatter
            .debug_struct("SeededToken")
            .field("id", &self.id)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

/// Creates an ordinary user with a personal access token of the scopes `api`, `read_repository` and
/// `write_repository`.
pub(crate) fn user(instance: &Instance, username: &str) -> Result<SeededToken, SeedError> {
    let secret = random::token("glpat-");
    let now = instance.now();
    let new = NewUser {
        username: username.to_owned(),
        name: username.to_owned(),
        email: format!("{username}@example.com"),
        is_admin: false,
        can_create_group: None,
        projects_limit: None,
    };
    instance.change(|state| {
        let user = state
            .create_user(new, now)
            .map_err(|taken| SeedError::Refused(taken.to_string()))?;
        let new = NewToken {
            user,
            name: seeded(),
            description: None,
            kind: TokenKind::Personal,
            scopes: vec![Scope::Api, Scope::ReadRepository, Scope::WriteRepository],
            expires_at: None,
            previous: None,
        };
        let id = state.add_token(new, TokenDigest::new(&secret), now);
        Ok(SeededToken {
            id: id.number(),
            user_id: user.number(),
            token: secret,
        })
    })
}

/// Makes a user a direct member, or changes the level of the membership.
pub(crate) fn member(
    instance: &Instance,
    resource: Resource,
    username: &str,
    level: AccessLevel,
) -> Result<(), SeedError> {
    let now = instance.now();
    instance.change(|state| {
        check_resource(state, resource)?;
        let user = find_user(state, username)?;
        state
            .members
            .retain(|member| member.resource != resource || member.user != user);
        state.members.add(|id| Member {
            id,
            resource,
            user,
            level,
            expires_at: None,
            created_by: None,
            created_at: now,
        });
        Ok(())
    })
}

/// Creates a project or group access token on behalf of an administrator.
pub(crate) fn access_token(
    instance: &Instance,
    seed: SeedAccessToken,
) -> Result<SeededToken, SeedError> {
    let secret = random::token("glpat-");
    let now = instance.now();
    instance.change(|state| {
        check_resource(state, seed.resource)?;
        let viewer = Viewer {
            user: state
                .users
                .find(|user| user.is_admin)
                .map(|administrator| administrator.id),
            is_admin: true,
            now,
        };
        let new = NewResourceToken {
            name: seed.name,
            description: None,
            scopes: seed.scopes,
            level: seed.access_level,
            expires_at: None,
        };
        let digest = TokenDigest::new(&secret);
        let id = state
            .create_resource_token(viewer, seed.resource, new, digest, &random::hex_name())
            .map_err(SeedError::Refused)?;
        let user = state.tokens.get(id).map_or(0, |token| token.user.number());
        Ok(SeededToken {
            id: id.number(),
            user_id: user,
            token: secret,
        })
    })
}

/// Moves a project to another group or personal namespace.
pub(crate) fn transfer_project(
    instance: &Instance,
    project: u64,
    namespace: u64,
) -> Result<(), SeedError> {
    let now = instance.now();
    instance.change(|state| {
        check_resource(state, Resource::project(project))?;
        let target = Id::new(namespace);
        if state.namespaces.get(target).is_none() {
            return Err(SeedError::NoGroup(namespace));
        }
        state
            .transfer_project(Id::new(project), target, now)
            .map_err(|invalid| SeedError::Refused(invalid.full_messages().join(", ")))
    })
}

fn check_resource(state: &State, resource: Resource) -> Result<(), SeedError> {
    match resource {
        Resource::Project(id) if state.projects.get(id).is_none() => {
            Err(SeedError::NoProject(id.number()))
        }
        Resource::Group(id) if !state.namespaces.get(id).is_some_and(Namespace::is_group) => {
            Err(SeedError::NoGroup(id.number()))
        }
        Resource::Project(_) | Resource::Group(_) => Ok(()),
    }
}

fn find_user(state: &State, username: &str) -> Result<Id<User>, SeedError> {
    state
        .users
        .find(|user| user.username == username)
        .map(|user| user.id)
        .ok_or_else(|| SeedError::NoUser(username.to_owned()))
}

/// Creates a token and returns its secret.
pub(crate) fn token(instance: &Instance, seed: SeedToken) -> Result<String, SeedError> {
    let prefix = match seed.kind {
        TokenKind::Job => "glcbt-",
        TokenKind::OAuth => "",
        TokenKind::Personal | TokenKind::Impersonation | TokenKind::Granular(_) => "glpat-",
    };
    let secret = random::token(prefix);
    let now = instance.now();
    instance.store.change(|state| {
        let user = find_user(state, &seed.username)?;
        let new = NewToken {
            user,
            name: seeded(),
            description: None,
            kind: seed.kind,
            scopes: seed.scopes,
            expires_at: seed.expires_at,
            previous: None,
        };
        let id = state.add_token(new, TokenDigest::new(&secret), now);
        if seed.is_revoked {
            state.revoke_token(id);
        }
        Ok(secret)
    })
}

/// A credential with which a deploy key may use git over HTTP, in place of SSH.
#[derive(Clone, Serialize)]
pub struct DeployKeyCredential {
    /// User name.
    pub username: String,
    /// Password, valid until the emulator stops.
    pub password: String,
}

impl std::fmt::Debug for DeployKeyCredential {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The password is secret.
        formatter
            .debug_struct("DeployKeyCredential")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Returns a credential for a deploy key.
pub(crate) fn deploy_key_credential(
    instance: &Instance,
    key: u64,
) -> Result<DeployKeyCredential, SeedError> {
    let id = Id::new(key);
    let state = instance.store.read();
    state
        .keys
        .get(id)
        .filter(|key| matches!(key.owner, KeyOwner::Deploy { .. }))
        .ok_or(SeedError::NoDeployKey(key))?;
    Ok(DeployKeyCredential {
        username: format!("key-{id}"),
        password: instance.deploy_key_password(id),
    })
}

/// Sets whether the container registry of a group holds images.
pub(crate) fn registry_images(
    instance: &Instance,
    group: u64,
    has_images: bool,
) -> Result<(), SeedError> {
    instance.store.change(|state| {
        let id: Id<Namespace> = Id::new(group);
        let group = state
            .namespaces
            .get_mut(id)
            .ok_or(SeedError::NoGroup(group))?;
        group.has_registry_images = has_images;
        Ok(())
    })
}

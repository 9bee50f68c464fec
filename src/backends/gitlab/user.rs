//! Who the token belongs to and what it may do.

use gitlab::api::personal_access_tokens::PersonalAccessTokenSelf;
use gitlab::api::projects::members::AllProjectMember;
use gitlab::api::users::CurrentUser as GetCurrentUser;
use serde::Deserialize;

use super::GitLab;
use super::error::Error;
use super::local::Local;
use super::query::built;

/// The owner of the token; for tokens of projects and groups that is a bot.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct CurrentUser {
    /// The user's number.
    pub id: u64,
    /// The user's name for logging in.
    pub username: String,
    /// Whether the user may create top-level groups.
    #[serde(default)]
    pub can_create_group: bool,
}

/// What GitLab tells of the token itself.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct TokenFacts {
    /// What it may do, for example `api`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether it can be used now.
    #[serde(default)]
    pub active: bool,
    /// The date, `YYYY-MM-DD`, at whose beginning (UTC) it ends.
    #[serde(default)]
    pub expires_at: Option<String>,
}

/// The version of a GitLab.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Version {
    /// For example `19.5.1-ee`.
    pub version: String,
}

/// A member of a group or project.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Member {
    /// The user's number.
    pub id: u64,
    /// The role, as a number: 30 developer, 40 maintainer, 50 owner.
    pub access_level: u64,
}

impl GitLab {
    /// Gets the owner of the token.
    pub async fn current_user(&self) -> Result<CurrentUser, Error> {
        self.query(&built(self, GetCurrentUser::builder().build())?)
            .await
    }

    /// Gets what GitLab tells of the token itself; an OAuth token is refused
    /// ([`Kind::Invalid`](super::Kind::Invalid)).
    pub async fn token_facts(&self) -> Result<TokenFacts, Error> {
        self.query(&built(self, PersonalAccessTokenSelf::builder().build())?)
            .await
    }

    /// Gets the version of the GitLab.
    pub async fn version(&self) -> Result<Version, Error> {
        self.query(&Local::get("version".to_owned())).await
    }

    /// Gets the effective role of a user in a group, inherited ones included.
    pub async fn group_member(&self, group: u64, user: u64) -> Result<Member, Error> {
        self.query(&Local::get(format!("groups/{group}/members/all/{user}")))
            .await
    }

    /// Gets the effective role of a user in a project, inherited ones included.
    pub async fn project_member(&self, project: u64, user: u64) -> Result<Member, Error> {
        let endpoint = AllProjectMember::builder()
            .project(project)
            .user(user)
            .build();
        self.query(&built(self, endpoint)?).await
    }

    /// Confirms that a 404 means that something is gone, and not that the token has lost its
    /// rights: its owner and the group that the thing was in can still be read.
    pub async fn confirm_gone(&self, parent_group: Option<u64>) -> Result<(), Error> {
        self.current_user().await?;
        if let Some(parent_group) = parent_group {
            self.group(parent_group).await?;
        }
        Ok(())
    }
}

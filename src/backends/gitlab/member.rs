//! What the owner of the token may see and do.

use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::GitLab;
use super::error::{Error, Kind};
use super::group::{Group, Visibility};
use super::json_endpoint::JsonEndpoint;

/// The role of a member (GitLab `lib/gitlab/access.rb`), ordered by its rights.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(transparent)]
pub struct AccessLevel(u64);

impl AccessLevel {
    /// The lowest role that sees everything in a group.
    pub const GUEST: Self = Self(10);
    /// The role that may manage deploy keys and access tokens.
    pub const MAINTAINER: Self = Self(40);
    /// The role that may delete and archive.
    pub const OWNER: Self = Self(50);
}

impl fmt::Display for AccessLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            50.. => "Owner",
            40.. => "Maintainer",
            30.. => "Developer",
            20.. => "Reporter",
            15.. => "Planner",
            10.. => "Guest",
            _ => "minimal access",
        })
    }
}

/// What a user may do in a group or project.
#[derive(Clone, Debug, Deserialize)]
pub struct Member {
    /// The role, which may be inherited.
    pub access_level: AccessLevel,
    /// Set if the member has a custom role, which may permit more than its access level.
    #[serde(default, rename = "member_role")]
    custom_role: Option<IgnoredAny>,
}

impl Member {
    /// Returns whether the member has a custom role, of which only GitLab knows what it permits.
    pub fn has_custom_role(&self) -> bool {
        self.custom_role.is_some()
    }
}

#[derive(Deserialize)]
struct Existence {
    exists: bool,
}

impl GitLab {
    /// Gets what a user may do in a group; `None` if the user is no member, or the group cannot be
    /// seen.
    pub async fn group_member(&self, group: u64, user: u64) -> Result<Option<Member>, Error> {
        self.member("groups", group, user).await
    }

    /// Gets what a user may do in a project; `None` if the user is no member, or the project cannot
    /// be seen.
    pub async fn project_member(&self, project: u64, user: u64) -> Result<Option<Member>, Error> {
        self.member("projects", project, user).await
    }

    async fn member(&self, of: &str, id: u64, user: u64) -> Result<Option<Member>, Error> {
        let endpoint = JsonEndpoint::get(format!("{of}/{id}/members/all/{user}"));
        match self.query(&endpoint).await {
            Ok(member) => Ok(Some(member)),
            // Who may not even list the members is none.
            Err(error) if error.is_not_found() || is_forbidden(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns whether the owner of the token acts as an administrator, which takes the scope
    /// `admin_mode` too where the instance demands it.
    pub async fn acts_as_administrator(&self) -> Result<bool, Error> {
        let endpoint = JsonEndpoint::get("application/settings".to_owned());
        match self.query::<IgnoredAny>(&endpoint).await {
            Ok(_) => Ok(true),
            Err(error) if is_forbidden(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns whether the owner of the token sees everything in a group, so that what it does not
    /// find there is gone.
    pub async fn sees_contents_of(&self, group: u64) -> Result<bool, Error> {
        if self.membership_that_sees(group).await?.is_some() {
            return Ok(true);
        }
        self.acts_as_administrator().await
    }

    /// Returns whether the owner of the token sees all projects in a group, so that one that it does not
    /// find there is gone.
    ///
    /// GitLab shows private projects to a member of a group only after a background job
    /// (`AuthorizedProjectsWorker`): after a new membership, and also after a role was raised or a group
    /// was shared or transferred, which no date tells. So a membership counts where it shows a private
    /// project of the group.
    pub async fn sees_projects_of(&self, group: &Group) -> Result<bool, Error> {
        if self.membership_that_sees(group.id).await?.is_some() {
            let projects = self.group_projects(group.id).await?;
            let mut own = projects
                .iter()
                .filter(|project| project.namespace.id == group.id);
            if own.any(|project| project.visibility == Visibility::Private) {
                return Ok(true);
            }
        }
        self.acts_as_administrator().await
    }

    /// Gets the membership of the owner of the token in a group, if its role sees what is in it.
    async fn membership_that_sees(&self, group: u64) -> Result<Option<Member>, Error> {
        let user = self.current_user().await?;
        let member = self.group_member(group, user.id).await?;
        Ok(member.filter(|member| member.access_level >= AccessLevel::GUEST))
    }

    /// Returns whether a top-level group or a user has a path, whether or not the owner of the
    /// token can see it. GitLab answers 20 times a minute.
    pub async fn top_level_path_exists(&self, path: &str) -> Result<bool, Error> {
        let escaped = gitlab::api::common::path_escaped(path);
        let endpoint = JsonEndpoint::get(format!("namespaces/{escaped}/exists"));
        Ok(self.query::<Existence>(&endpoint).await?.exists)
    }
}

fn is_forbidden(error: &Error) -> bool {
    matches!(error.kind(), Kind::Forbidden { .. })
}

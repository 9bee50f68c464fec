//! A GitLab emulator with its users, and calls of its API as the administrator.

use std::path::Path;

use anyhow::Context as _;
use gitlab_emulator::domain::access::Viewer;
use gitlab_emulator::domain::level::AccessLevel;
use gitlab_emulator::domain::table::Id;
use gitlab_emulator::domain::token::{Scope, TokenKind};
use gitlab_emulator::domain::user::Resource;
use gitlab_emulator::domain::user_change::NewUser;
use gitlab_emulator::git::Repositories;
use gitlab_emulator::{Emulator, SeedToken};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::PARENT;
use super::view::GitLabView;

/// Whose token the provider has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    #[default]
    Administrator,
    Owner,
    Maintainer,
    Developer,
    /// Owns all products but `alpha`, which it cannot see.
    Partial,
    /// Sees nothing that is private.
    Outsider,
}

impl Role {
    const USERS: [Self; 5] = [
        Self::Owner,
        Self::Maintainer,
        Self::Developer,
        Self::Partial,
        Self::Outsider,
    ];

    const fn user(self) -> &'static str {
        match self {
            Self::Administrator => "root",
            Self::Owner => "olga",
            Self::Maintainer => "max",
            Self::Developer => "dora",
            Self::Partial => "paul",
            Self::Outsider => "otto",
        }
    }

    const fn level(self) -> Option<AccessLevel> {
        match self {
            Self::Owner | Self::Partial => Some(AccessLevel::Owner),
            Self::Maintainer => Some(AccessLevel::Maintainer),
            Self::Developer => Some(AccessLevel::Developer),
            Self::Administrator | Self::Outsider => None,
        }
    }

    /// Whether it may delete groups and projects.
    pub(crate) const fn may_delete(self) -> bool {
        matches!(self, Self::Administrator | Self::Owner | Self::Partial)
    }

    /// Whether it is a member of a group.
    fn is_member_of(self, path: &str, is_top_level: bool) -> bool {
        match self {
            Self::Partial => !["alpha", PARENT].contains(&path),
            _ => is_top_level,
        }
    }
}

/// A GitLab.
pub(crate) struct Server {
    pub(crate) emulator: Emulator,
    repositories: Repositories,
    tokens: Vec<(Role, String)>,
    client: reqwest::Client,
}

impl Server {
    /// Starts a GitLab whose groups and projects are numbered from `base`.
    pub(crate) async fn start(folder: &Path, base: u64) -> anyhow::Result<Self> {
        let emulator = Emulator::builder().data(folder).start().await?;
        emulator.update_settings(|settings| {
            settings.project_api_limit = 0;
            settings.projects_api_limit = 0;
            settings.group_api_limit = 0;
            settings.groups_api_limit = 0;
            settings.group_projects_api_limit = 0;
            settings.project_members_api_limit = 0;
        });
        emulator.update_switches(|switches| switches.job_delay = 0);
        let mut tokens = vec![(Role::Administrator, emulator.root_token.clone())];
        for role in Role::USERS {
            let new = NewUser {
                username: role.user().to_owned(),
                name: role.user().to_owned(),
                email: format!("{}@example.com", role.user()),
                is_admin: false,
                can_create_group: Some(true),
                projects_limit: None,
            };
            emulator.seed(|state, now| state.create_user(new, now))?;
            let token = emulator.seed_token(SeedToken {
                username: role.user().to_owned(),
                kind: TokenKind::Personal,
                scopes: vec![Scope::Api],
                expires_at: None,
                is_revoked: false,
            })?;
            tokens.push((role, token));
        }
        emulator.seed(|state, _| {
            state.restore("namespaces", base, None)?;
            state.restore("projects", base, None)
        })?;
        Ok(Self {
            repositories: Repositories::new(folder.join("repositories")),
            client: reqwest::Client::builder().no_proxy().build()?,
            emulator,
            tokens,
        })
    }

    /// Returns the token of a role.
    pub(crate) fn token(&self, role: Role) -> &str {
        let mut tokens = self.tokens.iter();
        let found = tokens.find(|(of, _)| *of == role);
        found.map_or("", |(_, token)| token)
    }

    /// Makes the users members of groups, as their roles say.
    pub(crate) fn update_members(&self) {
        self.emulator.seed(|state, now| {
            let groups: Vec<_> = state
                .namespaces
                .iter()
                .filter(|group| group.is_group())
                .map(|group| (group.id, group.path.clone(), group.parent.is_none()))
                .collect();
            for role in Role::USERS {
                let user = state.users.find(|user| user.username == role.user());
                let (Some(user), Some(level)) = (user.map(|user| user.id), role.level()) else {
                    continue;
                };
                let by = Viewer {
                    user: Some(Id::new(1)),
                    is_admin: true,
                    now,
                };
                for (group, path, is_top_level) in &groups {
                    if !role.is_member_of(path, *is_top_level) {
                        continue;
                    }
                    let resource = Resource::Group(*group);
                    if state.direct_member(resource, user, now).is_none() {
                        let _ = state.add_member(resource, user, level, None, by);
                    }
                }
            }
        });
    }

    /// Waits until background work is done, and reads everything.
    pub(crate) async fn view(&self) -> anyhow::Result<GitLabView> {
        self.emulator.wait_until_idle().await;
        GitLabView::read(&self.emulator, &self.repositories)
    }

    /// Calls the API as the administrator.
    pub(crate) async fn api(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let url = format!("{}/api/v4{path}", self.emulator.url);
        let mut request = self
            .client
            .request(method, url)
            .header("PRIVATE-TOKEN", &self.emulator.root_token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&response.bytes().await?).unwrap_or_default())
    }

    /// Creates a group and returns its number.
    pub(crate) async fn create_group(
        &self,
        path: &str,
        parent: Option<u64>,
    ) -> anyhow::Result<u64> {
        let body = json!({ "name": path, "path": path, "parent_id": parent });
        number(&self.api(Method::POST, "/groups", Some(&body)).await?)
    }

    /// Creates a project with one commit and returns its number.
    pub(crate) async fn create_project(&self, path: &str, group: u64) -> anyhow::Result<u64> {
        let body = json!({
            "name": path,
            "path": path,
            "namespace_id": group,
            "initialize_with_readme": true,
        });
        number(&self.api(Method::POST, "/projects", Some(&body)).await?)
    }
}

fn number(created: &Value) -> anyhow::Result<u64> {
    let number = created.get("id").and_then(Value::as_u64);
    number.context("a created object has a number")
}

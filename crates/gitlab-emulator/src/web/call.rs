//! One call of the API: who calls, with what, and the questions every endpoint asks.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use super::auth::Identity;
use super::params::Raw;
use super::refusal::Refusal;
use crate::domain::access::{GroupAbility, ProjectAbility, Viewer};
use crate::domain::level::AccessLevel;
use crate::domain::namespace::Namespace;
use crate::domain::project::Project;
use crate::domain::route::Target;
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::domain::time::Moment;
use crate::domain::user::{Resource, User};
use crate::git::Repository;
use crate::instance::Instance;
use crate::limit::{Key, Limited};

/// A call whose caller is known.
pub(crate) struct Call<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) identity: Identity,
    pub(crate) method: Method,
    /// The path below the root, as it was sent.
    pub(crate) path: &'a str,
    /// The query, as it was sent.
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: Bytes,
    /// The variable segments of the path, decoded.
    pub(crate) captures: Vec<(String, String)>,
    pub(crate) raw: Raw,
    /// The address of the client.
    pub(crate) address: String,
    pub(crate) now: Moment,
}

impl Call<'_> {
    /// A variable segment of the path.
    pub(crate) fn capture(&self, name: &str) -> &str {
        self.captures
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// A variable segment that is a number; what is none finds no record.
    pub(crate) fn number<T>(&self, name: &str) -> Result<Id<T>, Refusal> {
        self.capture(name)
            .parse()
            .map(Id::new)
            .map_err(|_| Refusal::parameter(format!("{name} is invalid")))
    }

    pub(crate) fn viewer(&self) -> Viewer {
        Viewer {
            user: self.identity.user,
            is_admin: self.identity.is_admin,
            now: self.now,
        }
    }

    /// The calling user; 401 without one.
    pub(crate) fn user(&self) -> Result<Id<User>, Refusal> {
        self.identity.user.ok_or_else(Refusal::unauthorized)
    }

    /// Finds the project that the segment `id` names and lets the caller see.
    pub(crate) fn project<'s>(&self, state: &'s State) -> Result<&'s Project, Refusal> {
        let missing = || Refusal::not_found("Project");
        let name = self.capture("id");
        let visible = |project: &&Project| {
            !project.is_being_removed
                && state.can_project(self.viewer(), ProjectAbility::Read, project)
        };
        if let Ok(number) = name.parse() {
            return state
                .projects
                .get(Id::new(number))
                .filter(visible)
                .ok_or_else(missing);
        }
        match state.at_path(name) {
            Some(Target::Project(id)) => state.projects.get(id).filter(visible).ok_or_else(missing),
            Some(Target::Namespace(_)) => Err(missing()),
            None => {
                let project = state.redirected(name).filter(visible).ok_or_else(missing)?;
                Err(self.moved(project.id))
            }
        }
    }

    fn moved(&self, id: Id<Project>) -> Refusal {
        if !matches!(self.method, Method::GET | Method::HEAD) {
            return Refusal::message(
                StatusCode::METHOD_NOT_ALLOWED,
                "Non GET methods are not allowed for moved projects",
            );
        }
        let mut segments: Vec<String> = self.path.split('/').map(str::to_owned).collect();
        if let Some(segment) = segments.get_mut(4) {
            *segment = id.to_string();
        }
        let query = if self.query.is_empty() {
            String::new()
        } else {
            format!("?{}", self.query)
        };
        Refusal::moved(&format!(
            "{}{}{query}",
            self.instance.url(),
            segments.join("/")
        ))
    }

    /// As [`Call::project`], and 403 when the caller may not do `ability`.
    pub(crate) fn project_for<'s>(
        &self,
        state: &'s State,
        ability: ProjectAbility,
    ) -> Result<&'s Project, Refusal> {
        let project = self.project(state)?;
        if state.can_project(self.viewer(), ability, project) {
            Ok(project)
        } else if self.identity.user.is_none() {
            Err(Refusal::unauthorized())
        } else {
            Err(Refusal::forbidden())
        }
    }

    /// Finds the group that the segment `id` names and lets the caller see.
    pub(crate) fn group<'s>(&self, state: &'s State) -> Result<&'s Namespace, Refusal> {
        let name = self.capture("id");
        let id = match name.parse() {
            Ok(number) => Some(Id::new(number)),
            Err(_) => match state.at_path(name) {
                Some(Target::Namespace(id)) => Some(id),
                _ => None,
            },
        };
        id.and_then(|id| self.visible_group(state, id))
            .ok_or_else(|| Refusal::not_found("Group"))
    }

    /// A group by number, if the caller may see it.
    pub(crate) fn visible_group<'s>(
        &self,
        state: &'s State,
        id: Id<Namespace>,
    ) -> Option<&'s Namespace> {
        state.namespaces.get(id).filter(|group| {
            group.is_group()
                && !group.is_being_removed
                && state.can_group(self.viewer(), GroupAbility::Read, group)
        })
    }

    /// As [`Call::group`], and 403 when the caller may not do `ability`.
    pub(crate) fn group_for<'s>(
        &self,
        state: &'s State,
        ability: GroupAbility,
    ) -> Result<&'s Namespace, Refusal> {
        let group = self.group(state)?;
        if state.can_group(self.viewer(), ability, group) {
            Ok(group)
        } else {
            Err(Refusal::forbidden())
        }
    }

    /// Finds the project or group that the path names and lets the caller see.
    pub(crate) fn resource(&self, state: &State) -> Result<Resource, Refusal> {
        if self.path.starts_with("/api/v4/groups/") {
            Ok(Resource::Group(self.group(state)?.id))
        } else {
            Ok(Resource::Project(self.project(state)?.id))
        }
    }

    /// As [`Call::resource`], and 403 when the caller's level is lower than `lowest`.
    pub(crate) fn resource_for(
        &self,
        state: &State,
        lowest: AccessLevel,
    ) -> Result<Resource, Refusal> {
        let of = self.resource(state)?;
        match state.viewer_level(self.viewer(), of) {
            Some(level) if level >= lowest => Ok(of),
            _ => Err(Refusal::forbidden()),
        }
    }

    /// Opens a project's repository.
    pub(crate) fn repository(&self, project: Id<Project>) -> Result<Repository, Refusal> {
        Ok(self.instance.repositories.open(project.number())?)
    }

    /// Whether a branch of a project is protected.
    pub(crate) fn is_branch_protected(&self, project: Id<Project>, branch: &str) -> bool {
        let state = self.instance.store.read();
        let project = state.projects.get(project);
        project.is_some_and(|project| state.is_protected(project, branch, false))
    }

    /// Counts the call against a limit of the application; `what` tells its objects apart.
    pub(crate) fn count(&self, limited: Limited, what: &str) -> Result<(), Refusal> {
        let rate = limited.rate(self.instance.store.read().settings.get());
        if rate.count == 0 {
            return Ok(());
        }
        let who = match self.identity.user {
            Some(user) => user.to_string(),
            None => self.address.clone(),
        };
        let key = Key {
            limit: format!("{limited:?}"),
            scope: format!("{who} {what}"),
        };
        let count = self.instance.counters.count(key, rate, self.now);
        if count.observed <= rate.count {
            return Ok(());
        }
        let thing = if limited == Limited::Archive {
            "archive"
        } else {
            "endpoint"
        };
        Err(Refusal::too_many(&format!(
            "This {thing} has been requested too many times. Try again later."
        )))
    }

    /// Answers 412 when the caller asks for a record that has not changed since and it has.
    pub(crate) fn check_unmodified(&self, updated_at: Moment) -> Result<(), Refusal> {
        let since = self
            .headers
            .get(http::header::IF_UNMODIFIED_SINCE)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| Moment::parse_http_date(text).or_else(|| Moment::parse(text)));
        match since {
            Some(since) if updated_at > since.plus_millis(999) => Err(Refusal::message(
                StatusCode::PRECONDITION_FAILED,
                "412 Precondition Failed",
            )),
            _ => Ok(()),
        }
    }
}

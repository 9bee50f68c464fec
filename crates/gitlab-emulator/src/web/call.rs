//! One API call, with the lookups and checks that all endpoints share.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use super::api_error::ApiError;
use super::auth::Identity;
use super::params::Raw;
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
use crate::limit::{CounterKey, Limit};

/// A call with an identified caller.
pub(crate) struct Call<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) identity: Identity,
    pub(crate) method: Method,
    /// The path below the root, undecoded.
    pub(crate) path: &'a str,
    /// The query, undecoded.
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
    /// Returns a variable segment of the path.
    pub(crate) fn capture(&self, name: &str) -> &str {
        self.captures
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// Returns a variable segment as a number; 404 if it is not one.
    pub(crate) fn number<T>(&self, name: &str) -> Result<Id<T>, ApiError> {
        self.capture(name)
            .parse()
            .map(Id::new)
            .map_err(|_| ApiError::parameter(format!("{name} is invalid")))
    }

    pub(crate) fn viewer(&self) -> Viewer {
        Viewer {
            user: self.identity.user,
            is_admin: self.identity.is_admin,
            now: self.now,
        }
    }

    /// Returns the calling user; 401 if there is none.
    pub(crate) fn user(&self) -> Result<Id<User>, ApiError> {
        self.identity.user.ok_or_else(ApiError::unauthorized)
    }

    /// Finds the project named by the segment `id` if the caller may see it.
    pub(crate) fn project<'s>(&self, state: &'s State) -> Result<&'s Project, ApiError> {
        let missing = || ApiError::not_found("Project");
        let name = self.capture("id");
        let visible = |project: &&Project| {
            !project.is_being_removed
                && state.can_project(self.viewer(), ProjectAbility::Read, project)
        };
        if let Some(id) = Id::parse(name) {
            return state.projects.get(id).filter(visible).ok_or_else(missing);
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

    fn moved(&self, id: Id<Project>) -> ApiError {
        if !matches!(self.method, Method::GET | Method::HEAD) {
            return ApiError::message(
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
        ApiError::moved(&format!(
            "{}{}{query}",
            self.instance.url(),
            segments.join("/")
        ))
    }

    /// Like [`Call::project`], but 403 if the caller lacks `ability`.
    pub(crate) fn project_for<'s>(
        &self,
        state: &'s State,
        ability: ProjectAbility,
    ) -> Result<&'s Project, ApiError> {
        let project = self.project(state)?;
        if state.can_project(self.viewer(), ability, project) {
            Ok(project)
        } else if self.identity.user.is_none() {
            Err(ApiError::unauthorized())
        } else {
            Err(ApiError::forbidden())
        }
    }

    /// Finds the group named by the segment `id` if the caller may see it.
    pub(crate) fn group<'s>(&self, state: &'s State) -> Result<&'s Namespace, ApiError> {
        state
            .namespace_by_id_or_path(self.capture("id"))
            .and_then(|group| self.visible_group(state, group.id))
            .ok_or_else(|| ApiError::not_found("Group"))
    }

    /// Returns a group by ID if the caller may see it.
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

    /// Like [`Call::group`], but 403 if the caller lacks `ability`.
    pub(crate) fn group_for<'s>(
        &self,
        state: &'s State,
        ability: GroupAbility,
    ) -> Result<&'s Namespace, ApiError> {
        let group = self.group(state)?;
        if state.can_group(self.viewer(), ability, group) {
            Ok(group)
        } else {
            Err(ApiError::forbidden())
        }
    }

    /// Finds the project or group named by the path if the caller may see it.
    pub(crate) fn resource(&self, state: &State) -> Result<Resource, ApiError> {
        if self.path.starts_with("/api/v4/groups/") {
            Ok(Resource::Group(self.group(state)?.id))
        } else {
            Ok(Resource::Project(self.project(state)?.id))
        }
    }

    /// Like [`Call::resource`], but 403 if the caller's level is below `lowest`.
    pub(crate) fn resource_for(
        &self,
        state: &State,
        lowest: AccessLevel,
    ) -> Result<Resource, ApiError> {
        let resource = self.resource(state)?;
        match state.viewer_level(self.viewer(), resource) {
            Some(level) if level >= lowest => Ok(resource),
            _ => Err(ApiError::forbidden()),
        }
    }

    /// Opens a project's repository.
    pub(crate) fn repository(&self, project: Id<Project>) -> Result<Repository, ApiError> {
        Ok(self.instance.repositories.open(project.number())?)
    }

    /// Returns whether a branch of a project is protected.
    pub(crate) fn is_branch_protected(&self, project: Id<Project>, branch: &str) -> bool {
        let state = self.instance.store.read();
        let project = state.projects.get(project);
        project.is_some_and(|project| state.is_protected(project, branch, false))
    }

    /// Counts the call against a limit of the application; `what` is the object for limits that
    /// count per object.
    pub(crate) fn count(&self, limit: Limit, what: &str) -> Result<(), ApiError> {
        let rate = limit.rate(self.instance.store.read().settings.get());
        if rate.count == 0 {
            return Ok(());
        }
        let grantee = match self.identity.user {
            Some(user) => user.to_string(),
            None => self.address.clone(),
        };
        let key = CounterKey {
            limit: format!("{limit:?}"),
            scope: format!("{grantee} {what}"),
        };
        let count = self.instance.counters.count(key, rate, self.now);
        if count.observed <= rate.count {
            return Ok(());
        }
        let object = if limit == Limit::Archive {
            "archive"
        } else {
            "endpoint"
        };
        Err(ApiError::too_many(&format!(
            "This {object} has been requested too many times. Try again later."
        )))
    }

    /// Responds 412 if `If-Unmodified-Since` is older than the record.
    pub(crate) fn check_unmodified(&self, updated_at: Moment) -> Result<(), ApiError> {
        let since = self
            .headers
            .get(http::header::IF_UNMODIFIED_SINCE)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| Moment::parse_http_date(text).or_else(|| Moment::parse(text)));
        match since {
            Some(since) if updated_at > since.plus_millis(999) => Err(ApiError::message(
                StatusCode::PRECONDITION_FAILED,
                "412 Precondition Failed",
            )),
            _ => Ok(()),
        }
    }
}

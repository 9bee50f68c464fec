//! Selection and order of projects in lists.

use crate::domain::access::ProjectAbility;
use crate::domain::level::Visibility;
use crate::domain::project::Project;
use crate::domain::state::State;
use crate::domain::user::Resource;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::{Params, Raw, params};

params! {
    /// The parameters that all project lists share.
    struct ProjectFilter {
        search: Option<String>,
        search_namespaces: Option<bool>,
        simple: Option<bool>,
        owned: Option<bool>,
        membership: Option<bool>,
        archived: Option<bool>,
        visibility: Option<Visibility>,
        min_access_level: Option<u64>,
        order_by: Option<String>,
        sort: Option<String>,
        with_shared: Option<bool>,
        topic: Option<Vec<String>>,
        id_after: Option<u64>,
        id_before: Option<u64>,
    }
}

impl ProjectFilter {
    /// Parses the filter from the parameters of a list.
    pub(in crate::api) fn read(raw: &Raw) -> Result<Self, ApiError> {
        <Self as Params>::read(raw)
    }
}

/// Returns the projects that the caller can see and the filter selects.
pub(in crate::api) fn select<'s>(
    call: &Call<'_>,
    state: &'s State,
    filter: &ProjectFilter,
    is_wanted: impl Fn(&Project) -> bool,
) -> Vec<&'s Project> {
    let mut projects: Vec<&Project> = state
        .projects
        .iter()
        .filter(|project| !project.is_being_removed && is_wanted(project))
        .filter(|project| state.can_project(call.viewer(), ProjectAbility::Read, project))
        .filter(|project| passes(call, state, filter, project))
        .collect();
    match filter.order_by.as_deref() {
        Some("id") => {}
        Some("name") => projects.sort_by_key(|project| project.name.to_lowercase()),
        Some("path") => projects.sort_by(|one, two| one.path.cmp(&two.path)),
        Some("updated_at") => projects.sort_by_key(|project| project.updated_at),
        Some("last_activity_at") => projects.sort_by_key(|project| project.last_activity_at),
        _ => projects.sort_by_key(|project| project.created_at),
    }
    if filter.sort.as_deref() != Some("asc") {
        projects.reverse();
    }
    projects
}

fn passes(call: &Call<'_>, state: &State, filter: &ProjectFilter, project: &Project) -> bool {
    let level = || {
        call.identity
            .user
            .and_then(|user| state.user_level(user, Resource::Project(project.id), call.now))
            .map_or(0, |level| u64::from(level.number()))
    };
    let lowest = [
        filter
            .membership
            .filter(|membership| *membership)
            .map(|_| 10),
        filter.owned.filter(|owned| *owned).map(|_| 50),
        filter.min_access_level,
    ]
    .into_iter()
    .flatten()
    .max();
    let matches_search = filter.search.as_ref().is_none_or(|search| {
        let search = search.to_lowercase();
        let contains = |text: &str| text.to_lowercase().contains(&search);
        contains(&project.name)
            || contains(&project.path)
            || project.description.as_deref().is_some_and(contains)
            || filter.search_namespaces == Some(true) && contains(&state.project_path(project))
    });
    let number = project.id.number();
    matches_search
        && lowest.is_none_or(|lowest| level() >= lowest)
        && filter
            .archived
            .is_none_or(|archived| project.is_archived == archived)
        && filter
            .visibility
            .is_none_or(|visibility| project.visibility == visibility)
        && filter
            .topic
            .as_ref()
            .is_none_or(|topics| topics.iter().all(|topic| project.topics.contains(topic)))
        && filter.id_after.is_none_or(|after| number > after)
        && filter.id_before.is_none_or(|before| number < before)
}

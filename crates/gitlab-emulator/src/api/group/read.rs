//! Reading groups.

use super::entity;
use crate::api::project::entity as project_entity;
use crate::api::project::filter::{self, ProjectFilter};
use crate::domain::access::GroupAbility;
use crate::domain::namespace::Namespace;
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::domain::user::Resource;
use crate::web::call::Call;
use crate::web::page::Keyset;
use crate::web::params::params;
use crate::web::reply::{ApiResult, Reply};

params! {
    struct ShowGroup {
        with_projects: Option<bool>,
    }
}

params! {
    struct ListGroups {
        search: Option<String>,
        owned: Option<bool>,
        top_level_only: Option<bool>,
        min_access_level: Option<u64>,
        order_by: Option<String>,
        sort: Option<String>,
    }
}

params! {
    struct ListGroupProjects {
        include_subgroups: Option<bool>,
    }
}

pub(super) fn show(call: &Call<'_>, params: &ShowGroup) -> ApiResult {
    let state = call.instance.store.read();
    let group = call.group(&state)?;
    let has_projects = params.with_projects.unwrap_or(true);
    Ok(Reply::ok(entity::detail(call, &state, group, has_projects)))
}

pub(super) fn list(call: &Call<'_>, params: &ListGroups) -> ApiResult {
    let state = call.instance.store.read();
    list_groups(call, &state, params, |group| {
        params.top_level_only != Some(true) || group.parent.is_none()
    })
}

pub(super) fn subgroups(call: &Call<'_>, params: &ListGroups) -> ApiResult {
    let state = call.instance.store.read();
    let parent = call.group(&state)?.id;
    list_groups(call, &state, params, |group| group.parent == Some(parent))
}

pub(super) fn descendants(call: &Call<'_>, params: &ListGroups) -> ApiResult {
    let state = call.instance.store.read();
    let top = call.group(&state)?.id;
    list_groups(call, &state, params, |group| {
        group.id != top
            && state
                .self_and_ancestors(group.id)
                .any(|above| above.id == top)
    })
}

fn list_groups(
    call: &Call<'_>,
    state: &State,
    params: &ListGroups,
    is_wanted: impl Fn(&Namespace) -> bool,
) -> ApiResult {
    let level = |id: Id<Namespace>| {
        call.identity
            .user
            .and_then(|user| state.user_level(user, Resource::Group(id), call.now))
            .map_or(0, |level| u64::from(level.number()))
    };
    let search = params.search.as_deref().unwrap_or_default().to_lowercase();
    let lowest = match params.owned {
        Some(true) => 50,
        _ => params.min_access_level.unwrap_or(0),
    };
    let mut groups: Vec<&Namespace> = state
        .namespaces
        .iter()
        .filter(|group| group.is_group() && !group.is_being_removed && is_wanted(group))
        .filter(|group| state.can_group(call.viewer(), GroupAbility::Read, group))
        .filter(|group| lowest == 0 || level(group.id) >= lowest)
        .filter(|group| {
            search.is_empty()
                || group.name.to_lowercase().contains(&search)
                || group.path.to_lowercase().contains(&search)
        })
        .collect();
    match params.order_by.as_deref() {
        Some("id") => {}
        Some("path") => groups.sort_by(|one, two| one.path.cmp(&two.path)),
        _ => groups.sort_by_key(|group| group.name.to_lowercase()),
    }
    if params.sort.as_deref() == Some("desc") {
        groups.reverse();
    }
    call.page_by_key(
        &groups,
        &Keyset {
            parameter: "cursor",
            key: |group| group.id.to_string(),
            matches_token: |_, _| false,
        },
        |group| entity::basic(call, state, group),
    )
}

pub(super) fn projects(call: &Call<'_>, params: &ListGroupProjects) -> ApiResult {
    let filter = ProjectFilter::read(&call.raw)?;
    let state = call.instance.store.read();
    let group = call.group(&state)?.id;
    let is_deep = params.include_subgroups.unwrap_or(false);
    let projects = filter::select(call, &state, &filter, |project| {
        if is_deep {
            state
                .self_and_ancestors(project.namespace)
                .any(|above| above.id == group)
        } else {
            project.namespace == group
                || filter.with_shared.unwrap_or(true)
                    && state.shares.any(|share| {
                        share.with == group && share.resource == Resource::Project(project.id)
                    })
        }
    });
    call.page_by_key(
        &projects,
        &Keyset {
            parameter: "cursor",
            key: |project| project.id.to_string(),
            matches_token: |_, _| false,
        },
        |project| match filter.simple {
            Some(true) => project_entity::simple(call, &state, project),
            _ => project_entity::full(call, &state, project),
        },
    )
}

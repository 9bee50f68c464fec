//! Members of projects and groups (GitLab `lib/api/members.rb`,
//! `lib/api/helpers/members_helpers.rb`).

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::api::user::entity as user_entity;
use crate::domain::access::GroupAbility;
use crate::domain::level::AccessLevel;
use crate::domain::member::Member;
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::domain::time::Day;
use crate::domain::user::{Resource, User};
use crate::limit::Limit;
use crate::web::api_error::{ApiError, ErrorBody};
use crate::web::call::Call;
use crate::web::params::{NoParams, Problem, Raw, params};
use crate::web::reply::{ApiResult, Reply};
use crate::web::route::Route;

params! {
    struct ListMembers {
        query: Option<String>,
        user_ids: Option<Vec<String>>,
    }
}

params! {
    struct AddMember {
        access_level: AccessLevel,
        user_id: Option<String>,
        username: Option<String>,
        expires_at: Option<Day>,
    }
}

params! {
    struct ChangeMember {
        access_level: AccessLevel,
        expires_at: Option<String>,
    }
}

pub(super) fn routes() -> Vec<Route> {
    let read = "Member: Read";
    let write = "Member: Update";
    let mut routes = Vec::new();
    let paths = [
        [
            "/projects/{id}/members",
            "/projects/{id}/members/all",
            "/projects/{id}/members/{user_id}",
            "/projects/{id}/members/all/{user_id}",
        ],
        [
            "/groups/{id}/members",
            "/groups/{id}/members/all",
            "/groups/{id}/members/{user_id}",
            "/groups/{id}/members/all/{user_id}",
        ],
    ];
    for [direct, all, one, one_of_all] in paths {
        let list = Route::get(direct, list).for_users().permission(read);
        routes.push(if direct.starts_with("/projects") {
            list.with_limit(Limit::ProjectMembers)
        } else {
            list
        });
        routes.extend([
            Route::get(all, list_all).for_users().permission(read),
            Route::get(one, show).for_users().permission(read),
            Route::get(one_of_all, show_of_all)
                .for_users()
                .permission(read),
            Route::post(direct, add).permission(write),
            Route::put(one, change).permission(write),
            Route::delete(one, remove)
                .with_limit(Limit::MembersDelete)
                .permission(write),
        ]);
    }
    routes
}

fn entity(call: &Call<'_>, state: &State, member: &Member) -> Value {
    let Some(user) = state.users.get(member.user) else {
        return Value::Null;
    };
    let creator = member
        .created_by
        .and_then(|creator| state.users.get(creator));
    user_entity::with(
        user_entity::basic(call, user),
        &json!({
            "access_level": member.level,
            "created_at": member.created_at.to_string(),
            "created_by": creator.map(|creator| user_entity::basic(call, creator)),
            "expires_at": member.expires_at,
            "membership_state": "active",
        }),
    )
}

fn filtered(state: &State, params: &ListMembers, mut members: Vec<Member>) -> Vec<Member> {
    members.retain(|member| {
        let Some(user) = state.users.get(member.user) else {
            return false;
        };
        params.query.as_ref().is_none_or(|query| {
            user.username.contains(query) || user.name.contains(query) || user.email == *query
        }) && params
            .user_ids
            .as_ref()
            .is_none_or(|ids| ids.contains(&user.id.to_string()))
    });
    members
}

/// Finds the project or group named by the path if the caller may see its members.
fn readable(call: &Call<'_>, state: &State) -> Result<Resource, ApiError> {
    let resource = call.resource(state)?;
    if let Resource::Group(_) = resource {
        call.group_for(state, GroupAbility::ReadMembers)?;
    }
    Ok(resource)
}

fn list(call: &Call<'_>, params: &ListMembers) -> ApiResult {
    let state = call.instance.store.read();
    let resource = readable(call, &state)?;
    let members = state.direct_members(resource, call.now).cloned().collect();
    let members = filtered(&state, params, members);
    call.page(&members, |member| entity(call, &state, member))
}

fn list_all(call: &Call<'_>, params: &ListMembers) -> ApiResult {
    let state = call.instance.store.read();
    let resource = readable(call, &state)?;
    let members = filtered(&state, params, state.all_members(resource, call.now));
    call.page(&members, |member| entity(call, &state, member))
}

fn show(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    let resource = readable(call, &state)?;
    let member = state.direct_member(resource, call.number("user_id")?, call.now);
    Ok(Reply::ok(entity(
        call,
        &state,
        member.ok_or_else(ApiError::no_record)?,
    )))
}

fn show_of_all(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    let resource = readable(call, &state)?;
    let user: Id<User> = call.number("user_id")?;
    let members = state.all_members(resource, call.now);
    let member = members.iter().find(|member| member.user == user);
    Ok(Reply::ok(entity(
        call,
        &state,
        member.ok_or_else(ApiError::no_record)?,
    )))
}

/// Finds the project or group named by the path if the caller may change its members.
fn administered(call: &Call<'_>, state: &State) -> Result<Resource, ApiError> {
    let resource = call.resource(state)?;
    let lowest = match resource {
        Resource::Project(_) => AccessLevel::Maintainer,
        Resource::Group(_) => AccessLevel::Owner,
    };
    call.resource_for(state, lowest)
}

/// Checks that a maintainer does not create owners.
fn check_grant(
    call: &Call<'_>,
    state: &State,
    resource: Resource,
    level: AccessLevel,
) -> Result<(), ApiError> {
    let own = state
        .viewer_level(call.viewer(), resource)
        .unwrap_or(AccessLevel::None);
    if !AccessLevel::OF_MEMBERS.contains(&level) {
        return Err(ApiError::problem("access_level", Problem::Value));
    }
    if level > own {
        Err(ApiError::forbidden())
    } else {
        Ok(())
    }
}

fn add(call: &Call<'_>, params: &AddMember) -> ApiResult {
    call.instance.change(|state| {
        let resource = administered(call, state)?;
        check_grant(call, state, resource, params.access_level)?;
        match (&params.user_id, &params.username) {
            (Some(ids), None) if ids.contains(',') => {
                Ok(add_several(call, state, resource, params, ids))
            }
            (Some(id), None) => {
                let number = id
                    .parse()
                    .map_err(|_| ApiError::parameter("user_id is invalid"))?;
                add_one(call, state, resource, params, Some(Id::new(number)))
            }
            (None, Some(name)) => {
                let user = state
                    .users
                    .find(|user| user.username.eq_ignore_ascii_case(name));
                let user = user.map(|user| user.id);
                add_one(call, state, resource, params, user)
            }
            (Some(_), Some(_)) => Err(ApiError::parameter(
                "user_id, username are mutually exclusive",
            )),
            (None, None) => Err(ApiError::parameter(
                "user_id, username are missing, exactly one parameter must be provided",
            )),
        }
    })
}

fn add_one(
    call: &Call<'_>,
    state: &mut State,
    resource: Resource,
    params: &AddMember,
    user: Option<Id<User>>,
) -> ApiResult {
    let user = user
        .filter(|user| state.users.get(*user).is_some())
        .ok_or_else(|| ApiError::not_found("User"))?;
    if state.direct_member(resource, user, call.now).is_some() {
        return Err(ApiError::conflict("Member already exists"));
    }
    let id = state.add_member(
        resource,
        user,
        params.access_level,
        params.expires_at,
        call.viewer(),
    )?;
    let member = state.members.get(id).ok_or_else(ApiError::internal)?;
    Ok(Reply::created(entity(call, state, member)))
}

/// Adds several users; the response is always 201.
fn add_several(
    call: &Call<'_>,
    state: &mut State,
    resource: Resource,
    params: &AddMember,
    ids: &str,
) -> Reply {
    let mut errors = Map::new();
    for id in ids.split(',').map(str::trim) {
        let user = id
            .parse()
            .ok()
            .map(Id::new)
            .and_then(|id| state.users.get(id));
        let Some((user, username)) = user.map(|user| (user.id, user.username.clone())) else {
            errors.insert(id.to_owned(), json!("User does not exist"));
            continue;
        };
        if state.direct_member(resource, user, call.now).is_some() {
            errors.insert(username, json!("Member already exists"));
            continue;
        }
        let added = state.add_member(
            resource,
            user,
            params.access_level,
            params.expires_at,
            call.viewer(),
        );
        if let Err(invalid) = added {
            errors.insert(username, json!(invalid.full_messages().join(", ")));
        }
    }
    let result = if errors.is_empty() {
        json!({ "status": "success" })
    } else {
        json!({ "status": "error", "message": errors })
    };
    Reply::created(result)
}

fn change(call: &Call<'_>, params: &ChangeMember) -> ApiResult {
    let expires_at = match params.expires_at.as_deref() {
        None => None,
        Some("") => Some(None),
        Some(text) => {
            Some(Some(Day::parse(text).ok_or_else(|| {
                ApiError::parameter("expires_at is invalid")
            })?))
        }
    };
    call.instance.change(|state| {
        let resource = administered(call, state)?;
        check_grant(call, state, resource, params.access_level)?;
        let user = call.number("user_id")?;
        let id = state
            .direct_member(resource, user, call.now)
            .ok_or_else(ApiError::no_record)?
            .id;
        state.change_member(id, params.access_level, expires_at, call.now)?;
        let member = state.members.get(id).ok_or_else(ApiError::internal)?;
        Ok(Reply::ok(entity(call, state, member)))
    })
}

fn remove(call: &Call<'_>, raw: &Raw) -> ApiResult {
    let keeps_below = raw
        .read::<Option<bool>>("skip_subresources")?
        .unwrap_or(false);
    call.instance.change(|state| {
        let resource = call.resource(state)?;
        let user = call.number("user_id")?;
        let member = state
            .direct_member(resource, user, call.now)
            .ok_or_else(ApiError::no_record)?;
        let id = member.id;
        // Members may always leave.
        if call.identity.user != Some(user) {
            administered(call, state)?;
        }
        if state.is_last_owner(resource, user, call.now) {
            let shape = ErrorBody::Message("403 Forbidden".to_owned());
            return Err(ApiError::new(StatusCode::FORBIDDEN, shape));
        }
        state.members.remove(id);
        if let (Resource::Group(group), false) = (resource, keeps_below) {
            let groups = state.self_and_descendants(group);
            let projects: Vec<_> = state
                .projects
                .iter()
                .filter(|project| groups.contains(&project.namespace))
                .map(|project| project.id)
                .collect();
            state.members.retain(|member| {
                member.user != user
                    || match member.resource {
                        Resource::Group(id) => !groups.contains(&id),
                        Resource::Project(id) => !projects.contains(&id),
                    }
            });
        }
        Ok(Reply::no_content())
    })
}

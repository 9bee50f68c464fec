//! Members of projects and groups (GitLab `lib/api/members.rb`, `lib/api/helpers/members_helpers.rb`).

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::api::user::entity as user_entity;
use crate::domain::level::AccessLevel;
use crate::domain::member::Member;
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::domain::time::Day;
use crate::domain::user::{Resource, User};
use crate::limit::Limited;
use crate::web::call::Call;
use crate::web::params::{Nothing, Problem, Raw, params};
use crate::web::refusal::{Refusal, Shape};
use crate::web::reply::{Answer, Reply};
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
            list.limited(Limited::ProjectMembers)
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
                .limited(Limited::MembersDelete)
                .permission(write),
        ]);
    }
    routes
}

fn shown(call: &Call<'_>, state: &State, member: &Member) -> Value {
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

fn list(call: &Call<'_>, params: &ListMembers) -> Answer {
    let state = call.instance.store.read();
    let of = call.resource(&state)?;
    let members = state.direct_members(of, call.now).cloned().collect();
    let members = filtered(&state, params, members);
    call.page(&members, |member| shown(call, &state, member))
}

fn list_all(call: &Call<'_>, params: &ListMembers) -> Answer {
    let state = call.instance.store.read();
    let of = call.resource(&state)?;
    let members = filtered(&state, params, state.all_members(of, call.now));
    call.page(&members, |member| shown(call, &state, member))
}

fn show(call: &Call<'_>, _: &Nothing) -> Answer {
    let state = call.instance.store.read();
    let of = call.resource(&state)?;
    let member = state.direct_member(of, call.number("user_id")?, call.now);
    Ok(Reply::ok(shown(
        call,
        &state,
        member.ok_or_else(Refusal::no_record)?,
    )))
}

fn show_of_all(call: &Call<'_>, _: &Nothing) -> Answer {
    let state = call.instance.store.read();
    let of = call.resource(&state)?;
    let user: Id<User> = call.number("user_id")?;
    let members = state.all_members(of, call.now);
    let member = members.iter().find(|member| member.user == user);
    Ok(Reply::ok(shown(
        call,
        &state,
        member.ok_or_else(Refusal::no_record)?,
    )))
}

/// Finds what the path names, if the caller may change its members.
fn administered(call: &Call<'_>, state: &State) -> Result<Resource, Refusal> {
    let of = call.resource(state)?;
    let lowest = match of {
        Resource::Project(_) => AccessLevel::Maintainer,
        Resource::Group(_) => AccessLevel::Owner,
    };
    call.resource_for(state, lowest)
}

/// A maintainer may not make owners.
fn check_grant(
    call: &Call<'_>,
    state: &State,
    of: Resource,
    level: AccessLevel,
) -> Result<(), Refusal> {
    let own = state
        .viewer_level(call.viewer(), of)
        .unwrap_or(AccessLevel::None);
    if !AccessLevel::OF_MEMBERS.contains(&level) {
        return Err(Refusal::problem("access_level", Problem::Value));
    }
    if level > own {
        Err(Refusal::forbidden())
    } else {
        Ok(())
    }
}

fn add(call: &Call<'_>, params: &AddMember) -> Answer {
    call.instance.change(|state| {
        let of = administered(call, state)?;
        check_grant(call, state, of, params.access_level)?;
        match (&params.user_id, &params.username) {
            (Some(ids), None) if ids.contains(',') => Ok(add_several(call, state, of, params, ids)),
            (Some(id), None) => {
                let number = id
                    .parse()
                    .map_err(|_| Refusal::parameter("user_id is invalid"))?;
                add_one(call, state, of, params, Some(Id::new(number)))
            }
            (None, Some(name)) => {
                let user = state
                    .users
                    .find(|user| user.username.eq_ignore_ascii_case(name));
                let user = user.map(|user| user.id);
                add_one(call, state, of, params, user)
            }
            (Some(_), Some(_)) => Err(Refusal::parameter(
                "user_id, username are mutually exclusive",
            )),
            (None, None) => Err(Refusal::parameter(
                "user_id, username are missing, exactly one parameter must be provided",
            )),
        }
    })
}

fn add_one(
    call: &Call<'_>,
    state: &mut State,
    of: Resource,
    params: &AddMember,
    user: Option<Id<User>>,
) -> Answer {
    let user = user
        .filter(|user| state.users.get(*user).is_some())
        .ok_or_else(|| Refusal::not_found("User"))?;
    if state.direct_member(of, user, call.now).is_some() {
        return Err(Refusal::conflict("Member already exists"));
    }
    let id = state.add_member(
        of,
        user,
        params.access_level,
        params.expires_at,
        call.viewer(),
    )?;
    let member = state.members.get(id).ok_or_else(Refusal::internal)?;
    Ok(Reply::created(shown(call, state, member)))
}

/// Adds whom it can; the answer is 201 in any case.
fn add_several(
    call: &Call<'_>,
    state: &mut State,
    of: Resource,
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
        if state.direct_member(of, user, call.now).is_some() {
            errors.insert(username, json!("Member already exists"));
            continue;
        }
        let added = state.add_member(
            of,
            user,
            params.access_level,
            params.expires_at,
            call.viewer(),
        );
        if let Err(invalid) = added {
            errors.insert(username, json!(invalid.full_messages().join(", ")));
        }
    }
    let answer = if errors.is_empty() {
        json!({ "status": "success" })
    } else {
        json!({ "status": "error", "message": errors })
    };
    Reply::created(answer)
}

fn change(call: &Call<'_>, params: &ChangeMember) -> Answer {
    let expires_at = match params.expires_at.as_deref() {
        None => None,
        Some("") => Some(None),
        Some(text) => {
            Some(Some(Day::parse(text).ok_or_else(|| {
                Refusal::parameter("expires_at is invalid")
            })?))
        }
    };
    call.instance.change(|state| {
        let of = administered(call, state)?;
        check_grant(call, state, of, params.access_level)?;
        let user = call.number("user_id")?;
        let id = state
            .direct_member(of, user, call.now)
            .ok_or_else(Refusal::no_record)?
            .id;
        state.change_member(id, params.access_level, expires_at, call.now)?;
        let member = state.members.get(id).ok_or_else(Refusal::internal)?;
        Ok(Reply::ok(shown(call, state, member)))
    })
}

fn remove(call: &Call<'_>, raw: &Raw) -> Answer {
    let keeps_below = raw
        .read::<Option<bool>>("skip_subresources")?
        .unwrap_or(false);
    call.instance.change(|state| {
        let of = call.resource(state)?;
        let user = call.number("user_id")?;
        let member = state
            .direct_member(of, user, call.now)
            .ok_or_else(Refusal::no_record)?;
        let id = member.id;
        // Members may leave by themselves.
        if call.identity.user != Some(user) {
            administered(call, state)?;
        }
        if state.is_last_owner(of, user, call.now) {
            let shape = Shape::Message("403 Forbidden".to_owned());
            return Err(Refusal::new(StatusCode::FORBIDDEN, shape));
        }
        state.members.remove(id);
        if let (Resource::Group(group), false) = (of, keeps_below) {
            let groups = state.self_and_descendants(group);
            let projects: Vec<_> = state
                .projects
                .iter()
                .filter(|project| groups.contains(&project.namespace))
                .map(|project| project.id)
                .collect();
            state.members.retain(|member| {
                member.user != user
                    || match member.of {
                        Resource::Group(id) => !groups.contains(&id),
                        Resource::Project(id) => !projects.contains(&id),
                    }
            });
        }
        Ok(Reply::no_content())
    })
}

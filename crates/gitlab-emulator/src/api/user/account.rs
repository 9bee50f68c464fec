//! User accounts.

use serde_json::Value;

use super::entity;
use crate::domain::table::Id;
use crate::domain::user::{User, UserState};
use crate::domain::user_change::{NewUser, UserTaken};
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::{NoParams, params};
use crate::web::reply::{ApiResult, Reply};

params! {
    struct ListUsers {
        username: Option<String>,
        search: Option<String>,
    }
}

params! {
    struct CreateUser {
        email: String,
        name: String,
        username: String,
        admin: Option<bool>,
        can_create_group: Option<bool>,
        projects_limit: Option<u64>,
    }
    at_least_one_of ["password", "reset_password", "force_random_password"]
}

pub(super) fn current(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    let user = state
        .users
        .get(call.user()?)
        .ok_or_else(ApiError::unauthorized)?;
    Ok(Reply::ok(entity::private(call, user, user.is_admin)))
}

pub(super) fn list(call: &Call<'_>, params: &ListUsers) -> ApiResult {
    if call.identity.user.is_none() && params.username.is_none() {
        return Err(ApiError::forbidden_because(
            "Not authorized to access /api/v4/users",
        ));
    }
    let state = call.instance.store.read();
    let search = params.search.as_deref().unwrap_or_default().to_lowercase();
    let users: Vec<&User> = state
        .users
        .iter()
        .rev()
        .filter(|user| {
            params
                .username
                .as_deref()
                .is_none_or(|name| user.username.eq_ignore_ascii_case(name))
        })
        .filter(|user| {
            search.is_empty()
                || user.username.to_lowercase().contains(&search)
                || user.name.to_lowercase().contains(&search)
                || user.email.to_lowercase() == search
        })
        .collect();
    call.page(&users, |user| entity(call, user))
}

fn entity(call: &Call<'_>, user: &User) -> Value {
    if call.identity.is_admin {
        entity::private(call, user, true)
    } else {
        entity::basic(call, user)
    }
}

pub(super) fn show(call: &Call<'_>, _: &NoParams) -> ApiResult {
    if call.identity.user.is_none() {
        return Err(ApiError::forbidden_because("Not authorized!"));
    }
    let state = call.instance.store.read();
    let user = state
        .users
        .get(call.number("user_id")?)
        .ok_or_else(|| ApiError::not_found("User"))?;
    if call.identity.is_admin {
        Ok(Reply::ok(entity::private(call, user, true)))
    } else {
        Ok(Reply::ok(entity::detail(call, user)))
    }
}

pub(super) fn create(call: &Call<'_>, params: &CreateUser) -> ApiResult {
    let new = NewUser {
        username: params.username.clone(),
        name: params.name.clone(),
        email: params.email.clone(),
        is_admin: params.admin.unwrap_or(false),
        can_create_group: params.can_create_group,
        projects_limit: params.projects_limit,
    };
    call.instance.change(|state| {
        let id = state
            .create_user(new, call.now)
            .map_err(|taken| match taken {
                UserTaken::Invalid(invalid) => ApiError::invalid(invalid),
                other => ApiError::conflict(other.to_string()),
            })?;
        let user = state.users.get(id).ok_or_else(ApiError::internal)?;
        Ok(Reply::created(entity::private(call, user, true)))
    })
}

pub(super) fn delete(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let id: Id<User> = call.number("user_id")?;
    call.instance.change(|state| {
        let Some(user) = state.users.remove(id) else {
            return Err(ApiError::not_found("User"));
        };
        state.members.retain(|member| member.user != id);
        state.tokens.retain(|token| token.user != id);
        if let Some(namespace) = user.namespace {
            state.namespaces.remove(namespace);
        }
        state.rebuild_routes();
        Ok(Reply::no_content())
    })
}

pub(super) fn block(call: &Call<'_>, _: &NoParams) -> ApiResult {
    set_state(call, UserState::Blocked)
}

pub(super) fn unblock(call: &Call<'_>, _: &NoParams) -> ApiResult {
    set_state(call, UserState::Active)
}

fn set_state(call: &Call<'_>, wanted: UserState) -> ApiResult {
    let id = call.number("user_id")?;
    call.instance.change(|state| {
        let user = state
            .users
            .get_mut(id)
            .ok_or_else(|| ApiError::not_found("User"))?;
        user.state = wanted;
        Ok(Reply::created(Value::Bool(true)))
    })
}

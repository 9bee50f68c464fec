//! Protected branches.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::domain::access::ProjectAbility;
use crate::domain::level::AccessLevel;
use crate::domain::project::Project;
use crate::domain::protection::{AccessEntry, Grantee, ProtectedBranch};
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::web::api_error::{ApiError, ErrorBody};
use crate::web::call::Call;
use crate::web::params::{NoParams, Params, Problem, Raw, Scalar, params};
use crate::web::reply::{ApiResult, Reply};
use crate::web::route::Route;

type Entries = Vec<Map<String, Value>>;

params! {
    struct ProtectBranch {
        name: String,
        push_access_level: Option<AccessLevel>,
        merge_access_level: Option<AccessLevel>,
        unprotect_access_level: Option<AccessLevel>,
        allow_force_push: Option<bool>,
        code_owner_approval_required: Option<bool>,
        allowed_to_push: Option<Entries>,
        allowed_to_merge: Option<Entries>,
        allowed_to_unprotect: Option<Entries>,
    }
}

params! {
    struct ChangeProtection {
        allow_force_push: Option<bool>,
        code_owner_approval_required: Option<bool>,
        allowed_to_push: Option<Entries>,
        allowed_to_merge: Option<Entries>,
        allowed_to_unprotect: Option<Entries>,
    }
}

params! {
    struct ListProtections {
        search: Option<String>,
    }
}

pub(super) fn routes() -> Vec<Route> {
    let all = "/projects/{id}/protected_branches";
    let one = "/projects/{id}/protected_branches/{name}";
    vec![
        Route::get(all, list)
            .for_users()
            .permission("Protected Branch: Read"),
        Route::get(one, show)
            .for_users()
            .permission("Protected Branch: Read"),
        Route::post(all, protect).permission("Protected Branch: Create"),
        Route::new(Method::PATCH, one, change).permission("Protected Branch: Update"),
        Route::delete(one, unprotect).permission("Protected Branch: Delete"),
    ]
}

fn entity(state: &State, protection: &ProtectedBranch) -> Value {
    let entries = |entries: &[AccessEntry]| -> Vec<Value> {
        entries
            .iter()
            .map(|entry| entry_entity(state, entry))
            .collect()
    };
    json!({
        "id": protection.id,
        "name": protection.name,
        "push_access_levels": entries(&protection.push),
        "merge_access_levels": entries(&protection.merge),
        "unprotect_access_levels": entries(&protection.unprotect),
        "allow_force_push": protection.allow_force_push,
        "code_owner_approval_required": protection.code_owner_approval_required,
        "inherited": false,
    })
}

fn entry_entity(state: &State, entry: &AccessEntry) -> Value {
    let (mut level, mut user, mut group, mut key) =
        (Some(AccessLevel::Maintainer), None, None, None);
    let description = match entry.grantee {
        Grantee::Level(lowest) => {
            level = Some(lowest);
            match lowest {
                AccessLevel::None => "No one".to_owned(),
                AccessLevel::Developer => "Developers + Maintainers".to_owned(),
                AccessLevel::Admin => "Administrators".to_owned(),
                _ => "Maintainers".to_owned(),
            }
        }
        Grantee::User(id) => {
            (level, user) = (None, Some(id));
            state
                .users
                .get(id)
                .map(|user| user.name.clone())
                .unwrap_or_default()
        }
        Grantee::Group(id) => {
            (level, group) = (None, Some(id));
            state
                .namespaces
                .get(id)
                .map(|group| group.name.clone())
                .unwrap_or_default()
        }
        Grantee::DeployKey(id) => {
            key = Some(id);
            state
                .keys
                .get(id)
                .map(|key| key.title.clone())
                .unwrap_or_default()
        }
    };
    json!({
        "id": entry.id,
        "access_level": level,
        "access_level_description": description,
        "deploy_key_id": key,
        "user_id": user,
        "group_id": group,
    })
}

fn find<'s>(call: &Call<'_>, state: &'s State) -> Result<&'s ProtectedBranch, ApiError> {
    let project = call.project_for(state, ProjectAbility::Administer)?.id;
    let name = call.capture("name");
    state
        .protected_branches
        .find(|protection| protection.project == project && protection.name == name)
        .ok_or_else(ApiError::no_record)
}

fn list(call: &Call<'_>, params: &ListProtections) -> ApiResult {
    let state = call.instance.store.read();
    let project = call.project_for(&state, ProjectAbility::Administer)?.id;
    let search = params.search.as_deref().unwrap_or_default();
    let protections: Vec<&ProtectedBranch> = state
        .protected_branches
        .iter()
        .filter(|protection| protection.project == project && protection.name.contains(search))
        .collect();
    call.page(&protections, |protection| entity(&state, protection))
}

fn show(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    Ok(Reply::ok(entity(&state, find(call, &state)?)))
}

fn protect(call: &Call<'_>, raw: &Raw) -> ApiResult {
    // Permissions are checked first, as by a `before` of the whole resource.
    let accepts_keys = {
        let state = call.instance.store.read();
        call.project_for(&state, ProjectAbility::Administer)?;
        state.switches.get().deploy_keys_in_protected_branches
    };
    let params = ProtectBranch::read(raw)?;
    let lists = [
        (
            "push_access_level",
            params.push_access_level,
            &params.allowed_to_push,
        ),
        (
            "merge_access_level",
            params.merge_access_level,
            &params.allowed_to_merge,
        ),
        (
            "unprotect_access_level",
            params.unprotect_access_level,
            &params.allowed_to_unprotect,
        ),
    ];
    let mut wanted = Vec::new();
    for (name, level, entries) in lists {
        if level.is_some_and(|level| !AccessLevel::OF_PROTECTION.contains(&level)) {
            return Err(ApiError::problem(name, Problem::Value));
        }
        let mut grantees: Vec<Grantee> = level.map(Grantee::Level).into_iter().collect();
        for entry in entries.iter().flatten() {
            grantees.push(grantee(entry, accepts_keys)?);
        }
        if grantees.is_empty() && name != "unprotect_access_level" {
            grantees.push(Grantee::Level(AccessLevel::Maintainer));
        }
        wanted.push(grantees);
    }
    call.instance.change(|state| {
        let project = call.project_for(state, ProjectAbility::Administer)?.id;
        let name = &params.name;
        let is_taken = state
            .protected_branches
            .any(|protection| protection.project == project && protection.name == *name);
        if is_taken {
            return Err(ApiError::conflict(format!(
                "Protected branch '{name}' already exists"
            )));
        }
        if name.trim().is_empty() {
            return Err(invalid(vec!["Name can't be blank".to_owned()]));
        }
        for grantee in wanted.iter().flatten() {
            check_key(state, project, *grantee)?;
        }
        let mut numbered = wanted
            .into_iter()
            .map(|grantees| state.new_access_entries(grantees));
        let (push, merge, unprotect) = (
            numbered.next().unwrap_or_default(),
            numbered.next().unwrap_or_default(),
            numbered.next().unwrap_or_default(),
        );
        let id = state.protected_branches.add(|id| ProtectedBranch {
            id,
            project,
            name: name.clone(),
            push,
            merge,
            unprotect,
            allow_force_push: params.allow_force_push.unwrap_or(false),
            code_owner_approval_required: params.code_owner_approval_required.unwrap_or(false),
        });
        let protection = state
            .protected_branches
            .get(id)
            .ok_or_else(ApiError::internal)?;
        Ok(Reply::created(entity(state, protection)))
    })
}

fn invalid(messages: Vec<String>) -> ApiError {
    ApiError::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        ErrorBody::Messages(messages),
    )
}

/// Parses who an access entry names. Servers that do not accept deploy keys ignore them silently.
fn grantee(entry: &Map<String, Value>, accepts_keys: bool) -> Result<Grantee, ApiError> {
    let number = |name: &str| {
        entry
            .get(name)
            .and_then(|value| u64::from_value(value).ok())
    };
    if let Some(user) = number("user_id") {
        return Ok(Grantee::User(Id::new(user)));
    }
    if let Some(group) = number("group_id") {
        return Ok(Grantee::Group(Id::new(group)));
    }
    if let Some(key) = number("deploy_key_id") {
        return Ok(if accepts_keys {
            Grantee::DeployKey(Id::new(key))
        } else {
            Grantee::Level(AccessLevel::Maintainer)
        });
    }
    number("access_level")
        .and_then(AccessLevel::from_number)
        .filter(|level| AccessLevel::OF_PROTECTION.contains(level))
        .map(Grantee::Level)
        .ok_or_else(|| invalid(vec!["Access level is not included in the list".to_owned()]))
}

/// Checks that an entry's deploy key may write to the project.
fn check_key(state: &State, project: Id<Project>, grantee: Grantee) -> Result<(), ApiError> {
    let Grantee::DeployKey(key) = grantee else {
        return Ok(());
    };
    match state.key_link(project, key) {
        Some(link) if link.can_push => Ok(()),
        _ => Err(invalid(vec![
            "Push access levels deploy key is not enabled for this project".to_owned(),
        ])),
    }
}

/// Applies changes to a list: entries with `id` are changed or, with `_destroy`, removed; others
/// are added.
fn changed(
    state: &mut State,
    project: Id<Project>,
    mut entries: Vec<AccessEntry>,
    changes: &[Map<String, Value>],
) -> Result<Vec<AccessEntry>, ApiError> {
    let parse = |state: &State, change| {
        let accepts_keys = state.switches.get().deploy_keys_in_protected_branches;
        let grantee = grantee(change, accepts_keys)?;
        check_key(state, project, grantee)?;
        Ok::<_, ApiError>(grantee)
    };
    for change in changes {
        let id = change
            .get("id")
            .and_then(|value| u64::from_value(value).ok());
        let is_removed = change
            .get("_destroy")
            .is_some_and(|value| bool::from_value(value) == Ok(true));
        match id {
            Some(id) if is_removed => entries.retain(|entry| entry.id != id),
            Some(id) => {
                let grantee = parse(state, change)?;
                if let Some(entry) = entries.iter_mut().find(|entry| entry.id == id) {
                    entry.grantee = grantee;
                }
            }
            None => {
                let grantee = parse(state, change)?;
                entries.extend(state.new_access_entries([grantee]));
            }
        }
    }
    Ok(entries)
}

fn change(call: &Call<'_>, params: &ChangeProtection) -> ApiResult {
    call.instance.change(|state| {
        let mut protection = find(call, state)?.clone();
        let project = protection.project;
        let lists = [
            (&mut protection.push, &params.allowed_to_push),
            (&mut protection.merge, &params.allowed_to_merge),
            (&mut protection.unprotect, &params.allowed_to_unprotect),
        ];
        for (entries, changes) in lists {
            if let Some(changes) = changes {
                *entries = changed(state, project, std::mem::take(entries), changes)?;
            }
        }
        if let Some(allow) = params.allow_force_push {
            protection.allow_force_push = allow;
        }
        if let Some(required) = params.code_owner_approval_required {
            protection.code_owner_approval_required = required;
        }
        let entity = entity(state, &protection);
        if let Some(row) = state.protected_branches.get_mut(protection.id) {
            *row = protection;
        }
        Ok(Reply::ok(entity))
    })
}

fn unprotect(call: &Call<'_>, _: &NoParams) -> ApiResult {
    call.instance.change(|state| {
        let id = find(call, state)?.id;
        state.protected_branches.remove(id);
        Ok(Reply::no_content())
    })
}

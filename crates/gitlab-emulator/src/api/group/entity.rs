//! JSON of groups.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::api::project::entity as project;
use crate::domain::access::ProjectAbility;
use crate::domain::namespace::Namespace;
use crate::domain::project::Project;
use crate::domain::state::State;
use crate::domain::user::Resource;
use crate::web::call::Call;

/// Maximum number of projects in a group's JSON.
const MOST_PROJECTS: usize = 100;

/// Returns the defaults of the settings that are stored and shown.
pub(super) fn attribute_defaults() -> &'static Map<String, Value> {
    static DEFAULTS: LazyLock<Map<String, Value>> =
        LazyLock::new(|| serde_json::from_str(include_str!("defaults.json")).unwrap_or_default());
    &DEFAULTS
}

/// Returns a group for lists.
pub(in crate::api) fn basic(call: &Call<'_>, state: &State, group: &Namespace) -> Value {
    let full_path = state.namespace_path(group.id);
    let mut entity = attribute_defaults().clone();
    entity.extend(group.attributes.clone());
    let defaults = entity
        .get("default_branch_protection_defaults")
        .cloned()
        .unwrap_or_else(|| json!(state.settings.get().default_branch_protection_defaults));
    let own = json!({
        "id": group.id,
        "web_url": format!("{}/groups/{full_path}", call.instance.url()),
        "name": group.name,
        "path": group.path,
        "description": group.description,
        "visibility": group.visibility.name(),
        "full_name": state.namespace_full_name(group.id),
        "full_path": full_path,
        "created_at": group.created_at.to_string(),
        "parent_id": group.parent,
        "organization_id": 1,
        "project_creation_level": group.project_creation.name(),
        "subgroup_creation_level": subgroup_creation(group),
        "default_branch_protection": 2,
        "default_branch_protection_defaults": defaults,
        "archived": group.is_archived,
        "marked_for_deletion_on": group.deletion.map(|deletion| deletion.on),
    });
    if let Value::Object(own) = own {
        entity.extend(own);
    }
    Value::Object(entity)
}

/// Returns a single group.
pub(in crate::api) fn detail(
    call: &Call<'_>,
    state: &State,
    group: &Namespace,
    has_projects: bool,
) -> Value {
    let mut entity = basic(call, state, group);
    let Value::Object(map) = &mut entity else {
        return entity;
    };
    map.insert(
        "shared_with_groups".to_owned(),
        Value::Array(shares(state, group)),
    );
    map.insert("runners_token".to_owned(), Value::Null);
    if has_projects {
        let visible = |project: &&Project| {
            !project.is_being_removed
                && state.can_project(call.viewer(), ProjectAbility::Read, project)
        };
        let show = |project: &Project| project::full(call, state, project);
        let own: Vec<Value> = state
            .projects
            .iter()
            .filter(|project| project.namespace == group.id)
            .filter(visible)
            .take(MOST_PROJECTS)
            .map(show)
            .collect();
        let shared: Vec<Value> = state
            .shares
            .iter()
            .filter(|share| share.with == group.id)
            .filter_map(|share| match share.resource {
                Resource::Project(id) => state.projects.get(id),
                Resource::Group(_) => None,
            })
            .filter(visible)
            .take(MOST_PROJECTS)
            .map(show)
            .collect();
        map.insert("projects".to_owned(), Value::Array(own));
        map.insert("shared_projects".to_owned(), Value::Array(shared));
    }
    entity
}

fn shares(state: &State, group: &Namespace) -> Vec<Value> {
    state
        .shares
        .iter()
        .filter(|share| share.resource == Resource::Group(group.id))
        .filter_map(|share| {
            let with = state.namespaces.get(share.with)?;
            Some(json!({
                "group_id": with.id,
                "group_name": with.name,
                "group_full_path": state.namespace_path(with.id),
                "group_access_level": share.level,
                "expires_at": share.expires_at,
            }))
        })
        .collect()
}

fn subgroup_creation(group: &Namespace) -> &'static str {
    use crate::domain::level::AccessLevel;
    if group.subgroup_creation == AccessLevel::Owner {
        "owner"
    } else {
        "maintainer"
    }
}

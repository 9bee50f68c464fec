//! JSON of projects.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::domain::access::ProjectAbility;
use crate::domain::level::AccessLevel;
use crate::domain::namespace::{Namespace, NamespaceKind};
use crate::domain::project::Project;
use crate::domain::state::State;
use crate::domain::user::Resource;
use crate::web::call::Call;

/// Returns the defaults of the settings that are stored and shown.
pub(super) fn attribute_defaults() -> &'static Map<String, Value> {
    static DEFAULTS: LazyLock<Map<String, Value>> =
        LazyLock::new(|| serde_json::from_str(include_str!("defaults.json")).unwrap_or_default());
    &DEFAULTS
}

/// Returns the fields that everybody may see.
pub(in crate::api) fn simple(call: &Call<'_>, state: &State, project: &Project) -> Value {
    let path = state.project_path(project);
    let url = call.instance.url();
    let web_url = format!("{url}/{path}");
    let host = url.split("://").nth(1).unwrap_or(url);
    let host = host.split([':', '/']).next().unwrap_or(host);
    let mut entity = json!({
        "id": project.id,
        "description": project.description,
        "name": project.name,
        "name_with_namespace": format!(
            "{} / {}",
            state.namespace_full_name(project.namespace),
            project.name
        ),
        "path": project.path,
        "path_with_namespace": path,
        "created_at": project.created_at.to_string(),
        "tag_list": project.topics,
        "topics": project.topics,
        "ssh_url_to_repo": format!("git@{host}:{path}.git"),
        "http_url_to_repo": format!("{web_url}.git"),
        "web_url": web_url,
        "avatar_url": null,
        "star_count": 0,
        "last_activity_at": project.last_activity_at.to_string(),
        "visibility": project.visibility.name(),
        "namespace": namespace(call, state, project),
    });
    if let Value::Object(map) = &mut entity
        && state.can_project(call.viewer(), ProjectAbility::ReadCode, project)
    {
        let branch = state.default_branch(project);
        let readme = format!("{web_url}/-/blob/{branch}/README.md");
        let has_readme = call
            .repository(project.id)
            .ok()
            .and_then(|repository| {
                let head = repository.branch(&branch).ok().flatten()?;
                repository.entry(head, "README.md").ok().flatten()
            })
            .is_some();
        map.insert("default_branch".to_owned(), json!(branch));
        map.insert("readme_url".to_owned(), json!(has_readme.then_some(readme)));
        map.insert("forks_count".to_owned(), json!(0));
    }
    entity
}

/// Returns a project without the fields that depend on the caller.
pub(in crate::api) fn full(call: &Call<'_>, state: &State, project: &Project) -> Value {
    let mut entity = attribute_defaults().clone();
    entity.extend(project.attributes.clone());
    if let Value::Object(simple) = simple(call, state, project) {
        entity.extend(simple);
    }
    let is_empty = call
        .repository(project.id)
        .ok()
        .and_then(|repository| repository.is_empty().ok())
        .unwrap_or(true);
    let api = format!("{}/api/v4/projects/{}", call.instance.url(), project.id);
    let own = json!({
        "_links": {
            "self": api,
            "repo_branches": format!("{api}/repository/branches"),
            "members": format!("{api}/members"),
            "events": format!("{api}/events"),
        },
        "empty_repo": is_empty,
        "archived": project.is_archived,
        "creator_id": project.creator,
        "updated_at": project.updated_at.to_string(),
        "import_status": "none",
        "import_url": null,
        "import_type": null,
        "import_error": null,
        "open_issues_count": 0,
        "marked_for_deletion_at": project.deletion.map(|deletion| deletion.on),
        "marked_for_deletion_on": project.deletion.map(|deletion| deletion.on),
        "shared_with_groups": shares(state, project),
    });
    if let Value::Object(own) = own {
        entity.extend(own);
    }
    Value::Object(entity)
}

/// Returns a single project with the caller's permissions.
pub(super) fn with_access(call: &Call<'_>, state: &State, project: &Project) -> Value {
    let mut entity = full(call, state, project);
    if let (Value::Object(map), Some(user)) = (&mut entity, call.identity.user) {
        let level = |level: Option<AccessLevel>| {
            level.map(|level| json!({ "access_level": level, "notification_level": 3 }))
        };
        let own = state.direct_level(user, Resource::Project(project.id), call.now);
        let group = match state.namespaces.get(project.namespace) {
            Some(group) if group.is_group() => {
                state.user_level(user, Resource::Group(group.id), call.now)
            }
            _ => None,
        };
        let permissions = json!({ "project_access": level(own), "group_access": level(group) });
        map.insert("permissions".to_owned(), permissions);
    }
    entity
}

fn namespace(call: &Call<'_>, state: &State, project: &Project) -> Value {
    state
        .namespaces
        .get(project.namespace)
        .map_or(Value::Null, |namespace| {
            namespace_entity(call, state, namespace)
        })
}

/// Returns a namespace inside a project.
pub(in crate::api) fn namespace_entity(
    call: &Call<'_>,
    state: &State,
    namespace: &Namespace,
) -> Value {
    let path = state.namespace_path(namespace.id);
    let url = call.instance.url();
    let (kind, web_url) = match namespace.kind {
        NamespaceKind::Group => ("group", format!("{url}/groups/{path}")),
        NamespaceKind::User(_) => ("user", format!("{url}/{path}")),
    };
    json!({
        "id": namespace.id,
        "name": namespace.name,
        "path": namespace.path,
        "kind": kind,
        "full_path": path,
        "parent_id": namespace.parent,
        "avatar_url": null,
        "web_url": web_url,
    })
}

fn shares(state: &State, project: &Project) -> Vec<Value> {
    state
        .shares
        .iter()
        .filter(|share| share.resource == Resource::Project(project.id))
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

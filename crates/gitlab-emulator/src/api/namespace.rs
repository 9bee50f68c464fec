//! Namespaces.

use serde_json::{Value, json};

use crate::api::project::entity::namespace_entity;
use crate::domain::access::GroupAbility;
use crate::domain::namespace::{Namespace, NamespaceKind};
use crate::domain::route::Target;
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::web::call::Call;
use crate::web::params::{Nothing, params};
use crate::web::refusal::Refusal;
use crate::web::reply::{Answer, Reply};
use crate::web::route::Route;

params! {
    struct ListNamespaces {
        search: Option<String>,
    }
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/namespaces", list)
            .for_users()
            .permission("Namespace: Read"),
        Route::get("/namespaces/{id}", show)
            .for_users()
            .permission("Namespace: Read"),
    ]
}

/// Whether the caller is a member, not only somebody who can look in.
fn is_visible(call: &Call<'_>, state: &State, namespace: &Namespace) -> bool {
    match namespace.kind {
        NamespaceKind::User(owner) => call.identity.is_admin || call.identity.user == Some(owner),
        NamespaceKind::Group => {
            let of = crate::domain::user::Resource::Group(namespace.id);
            state.can_group(call.viewer(), GroupAbility::Read, namespace)
                && state.viewer_level(call.viewer(), of).is_some()
        }
    }
}

fn shown(call: &Call<'_>, state: &State, namespace: &Namespace) -> Value {
    let mut shown = namespace_entity(call, state, namespace);
    if let (Value::Object(map), true) = (&mut shown, namespace.is_group()) {
        let now = call.now;
        let of = crate::domain::user::Resource::Group(namespace.id);
        let members = state.all_members(of, now).len();
        map.insert("members_count_with_descendants".to_owned(), json!(members));
    }
    shown
}

fn list(call: &Call<'_>, params: &ListNamespaces) -> Answer {
    let state = call.instance.store.read();
    let search = params.search.as_deref().unwrap_or_default().to_lowercase();
    let namespaces: Vec<&Namespace> = state
        .namespaces
        .iter()
        .filter(|namespace| !namespace.is_being_removed && is_visible(call, &state, namespace))
        .filter(|namespace| {
            search.is_empty()
                || namespace.name.to_lowercase().contains(&search)
                || namespace.path.to_lowercase().contains(&search)
        })
        .collect();
    call.page(&namespaces, |namespace| shown(call, &state, namespace))
}

fn show(call: &Call<'_>, _: &Nothing) -> Answer {
    let state = call.instance.store.read();
    let name = call.capture("id");
    let id = match name.parse() {
        Ok(number) => Some(Id::new(number)),
        Err(_) => match state.at_path(name) {
            Some(Target::Namespace(id)) => Some(id),
            _ => None,
        },
    };
    let namespace = id
        .and_then(|id| state.namespaces.get(id))
        .filter(|namespace| !namespace.is_being_removed && is_visible(call, &state, namespace))
        .ok_or_else(|| Refusal::not_found("Namespace"))?;
    Ok(Reply::ok(shown(call, &state, namespace)))
}

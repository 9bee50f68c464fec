//! Events: activity of users in projects.

use serde_json::{Value, json};

use crate::api::user::entity as user_entity;
use crate::domain::access::ProjectAbility;
use crate::domain::event::Event;
use crate::domain::state::State;
use crate::domain::time::{Day, Moment};
use crate::domain::token::Scope;
use crate::web::call::Call;
use crate::web::params::params;
use crate::web::reply::ApiResult;
use crate::web::route::{Accepts, Route};

params! {
    struct ListEvents {
        action: Option<String>,
        after: Option<Day>,
        before: Option<Day>,
        sort: Option<String>,
    }
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/events", own)
            .for_users()
            .accepting(Accepts::Also(&[Scope::ReadUser])),
        Route::get("/projects/{id}/events", of_project).permission("Event: Read"),
    ]
}

fn own(call: &Call<'_>, params: &ListEvents) -> ApiResult {
    let user = call.user()?;
    let state = call.instance.store.read();
    page(call, &state, params, |event| event.author == user)
}

fn of_project(call: &Call<'_>, params: &ListEvents) -> ApiResult {
    let state = call.instance.store.read();
    let project = call.project_for(&state, ProjectAbility::Read)?.id;
    page(call, &state, params, |event| event.project == project)
}

fn page(
    call: &Call<'_>,
    state: &State,
    params: &ListEvents,
    is_wanted: impl Fn(&Event) -> bool,
) -> ApiResult {
    let day = Moment::day;
    let mut events: Vec<&Event> = state
        .events
        .iter()
        .filter(|event| is_wanted(event))
        .filter(|event| match params.action.as_deref() {
            Some("pushed") => event.push_data.is_some(),
            Some(action) => event.action == action,
            None => true,
        })
        .filter(|event| {
            params
                .after
                .is_none_or(|after| day(event.created_at) > after)
        })
        .filter(|event| {
            params
                .before
                .is_none_or(|before| day(event.created_at) < before)
        })
        .collect();
    if params.sort.as_deref() != Some("asc") {
        events.reverse();
    }
    call.page(&events, |event| entity(call, state, event))
}

fn entity(call: &Call<'_>, state: &State, event: &Event) -> Value {
    let author = state.users.get(event.author);
    let mut entity = json!({
        "id": event.id,
        "project_id": event.project,
        "action_name": event.action,
        "target_id": null,
        "target_iid": null,
        "target_type": null,
        "target_title": null,
        "author_id": event.author,
        "author_username": author.map(|author| author.username.as_str()),
        "author": author.map(|author| user_entity::basic(call, author)),
        "created_at": event.created_at.to_string(),
        "imported": false,
        "imported_from": "none",
    });
    if let (Value::Object(map), Some(data)) = (&mut entity, &event.push_data) {
        map.insert("push_data".to_owned(), data.clone());
    }
    entity
}

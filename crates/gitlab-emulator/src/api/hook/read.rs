//! Reading webhooks. Tokens, and the values of variables and headers, are never shown.

use serde_json::{Value, json};

use crate::domain::access::ProjectAbility;
use crate::domain::hook::{EVENTS, Hook, Pair};
use crate::domain::state::State;
use crate::web::call::Call;
use crate::web::params::Nothing;
use crate::web::refusal::Refusal;
use crate::web::reply::{Answer, Reply};

/// A hook in a list.
fn shown(hook: &Hook) -> Value {
    let mut shown = json!({
        "id": hook.id,
        "url": hook.url,
        "name": hook.name,
        "description": hook.description,
        "created_at": hook.created_at.to_string(),
        "enable_ssl_verification": hook.verifies_certificates,
        "push_events_branch_filter": hook.branch_filter.text(),
        "branch_filter_strategy": hook.branch_filter.strategy(),
        "custom_webhook_template": hook.custom_webhook_template,
        "alert_status": "executable",
        "disabled_until": null,
        "project_id": hook.project,
    });
    if let Value::Object(map) = &mut shown {
        for (event, _) in EVENTS {
            map.insert(event.to_owned(), json!(hook.is_called_for(event)));
        }
    }
    shown
}

/// A hook on its own: with the names of its variables and headers.
pub(super) fn detail(hook: &Hook) -> Value {
    let keys = |pairs: &[Pair]| -> Vec<Value> {
        pairs
            .iter()
            .map(|pair| json!({ "key": pair.key }))
            .collect()
    };
    crate::api::user::entity::with(
        shown(hook),
        &json!({
            "url_variables": keys(&hook.url_variables),
            "custom_headers": keys(&hook.custom_headers),
        }),
    )
}

/// Finds the hook of the path; 403 comes before 404.
pub(super) fn find<'s>(call: &Call<'_>, state: &'s State) -> Result<&'s Hook, Refusal> {
    let project = call.project_for(state, ProjectAbility::Administer)?.id;
    state
        .hooks
        .get(call.number("hook_id")?)
        .filter(|hook| hook.project == project)
        .ok_or_else(Refusal::no_record)
}

pub(super) fn list(call: &Call<'_>, _: &Nothing) -> Answer {
    let state = call.instance.store.read();
    let project = call.project_for(&state, ProjectAbility::Administer)?.id;
    let hooks: Vec<&Hook> = state
        .hooks
        .iter()
        .filter(|hook| hook.project == project)
        .collect();
    call.page(&hooks, |hook| shown(hook))
}

pub(super) fn show(call: &Call<'_>, _: &Nothing) -> Answer {
    let state = call.instance.store.read();
    Ok(Reply::ok(detail(find(call, &state)?)))
}

pub(super) fn deliveries(call: &Call<'_>, _: &Nothing) -> Answer {
    let hook = find(call, &call.instance.store.read())?.id;
    let deliveries = call.instance.deliveries.of(hook);
    call.page(&deliveries, |delivery| json!(delivery))
}

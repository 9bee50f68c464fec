//! Reading webhooks. Tokens, and values of variables and headers, are never shown.

use serde_json::{Value, json};

use crate::domain::access::ProjectAbility;
use crate::domain::hook::{EVENTS, Hook, KeyValue};
use crate::domain::state::State;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::NoParams;
use crate::web::reply::{ApiResult, Reply};

/// Returns a hook for lists.
fn entity(call: &Call<'_>, state: &State, hook: &Hook) -> Value {
    let rule = state.switches.get().hook_auto_disabling;
    let mut entity = json!({
        "id": hook.id,
        "url": hook.url,
        "name": hook.name,
        "description": hook.description,
        "created_at": hook.created_at.to_string(),
        "enable_ssl_verification": hook.verifies_certificates,
        "push_events_branch_filter": hook.branch_filter.text(),
        "branch_filter_strategy": hook.branch_filter.strategy(),
        "custom_webhook_template": hook.custom_webhook_template,
        "alert_status": hook.health.status(rule, call.now),
        "disabled_until": hook.health.disabled_until.map(|until| until.to_string()),
        "project_id": hook.project,
    });
    if let Value::Object(map) = &mut entity {
        for (event, _) in EVENTS {
            map.insert(event.to_owned(), json!(hook.is_called_for(event)));
        }
    }
    entity
}

/// Returns a single hook, including the names of its variables and headers.
pub(super) fn detail(call: &Call<'_>, state: &State, hook: &Hook) -> Value {
    let keys = |pairs: &[KeyValue]| -> Vec<Value> {
        pairs
            .iter()
            .map(|pair| json!({ "key": pair.key }))
            .collect()
    };
    crate::api::user::entity::with(
        entity(call, state, hook),
        &json!({
            "url_variables": keys(&hook.url_variables),
            "custom_headers": keys(&hook.custom_headers),
        }),
    )
}

/// Finds the hook named by the path; 403 takes precedence over 404.
pub(super) fn find<'s>(call: &Call<'_>, state: &'s State) -> Result<&'s Hook, ApiError> {
    let project = call.project_for(state, ProjectAbility::Administer)?.id;
    state
        .hooks
        .get(call.number("hook_id")?)
        .filter(|hook| hook.project == project)
        .ok_or_else(ApiError::no_record)
}

pub(super) fn list(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    let project = call.project_for(&state, ProjectAbility::Administer)?.id;
    let hooks: Vec<&Hook> = state
        .hooks
        .iter()
        .filter(|hook| hook.project == project)
        .collect();
    call.page(&hooks, |hook| entity(call, &state, hook))
}

pub(super) fn show(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    Ok(Reply::ok(detail(call, &state, find(call, &state)?)))
}

//! Deliveries of webhooks: testing, listing and repeating them (GitLab `lib/api/hooks/`).

use std::future::Future;

use http::StatusCode;
use serde_json::json;

use super::read::find;
use crate::domain::hook::{EVENTS, HookEvent};
use crate::domain::time::Moment;
use crate::limit::Limit;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::{NoParams, Problem, params};
use crate::web::reply::{ApiResult, Reply};
use crate::webhook::{self, Delivery, Request, payload};

const MAX_PER_PAGE: u64 = 20;
/// GitLab keeps deliveries for seven days.
const RETENTION_MILLIS: i64 = 7 * 24 * 60 * 60 * 1000;

params! {
    struct ListDeliveries {
        status: Option<Vec<String>>,
        per_page: Option<u64>,
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Handle::current().block_on(future)
}

fn unprocessable(message: impl Into<String>) -> ApiError {
    ApiError::message(StatusCode::UNPROCESSABLE_ENTITY, message)
}

/// Sends a sample push to a hook, even if the hook is disabled.
pub(super) fn test(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let hook = find(call, &call.instance.store.read())?.clone();
    let trigger = call.capture("trigger");
    if !EVENTS.iter().any(|(event, _)| *event == trigger) {
        return Err(ApiError::problem("trigger", Problem::Value));
    }
    call.count(Limit::HookTest, &hook.project.to_string())?;
    let event = HookEvent::from_attribute(trigger)
        .ok_or_else(|| unprocessable("Ensure the project has the data that the event needs."))?;
    let payload = payload::sample(call.instance, hook.project, call.user()?)?
        .ok_or_else(|| unprocessable("Ensure the project has at least one commit."))?;
    let request = Request::new(hook.id, event, payload);
    match block_on(webhook::deliver_always(call.instance, request)) {
        Ok(receipt) if (200..300).contains(&receipt.status) => {
            Ok(Reply::created(json!({ "message": "201 Created" })))
        }
        Ok(receipt) => Err(unprocessable(receipt.body)),
        Err(error) => Err(unprocessable(error.to_string())),
    }
}

pub(super) fn list(call: &Call<'_>, params: &ListDeliveries) -> ApiResult {
    let hook = find(call, &call.instance.store.read())?.id;
    if params
        .per_page
        .is_some_and(|per_page| !(1..=MAX_PER_PAGE).contains(&per_page))
    {
        return Err(ApiError::problem("per_page", Problem::Value));
    }
    let statuses = params.status.as_deref().unwrap_or_default();
    if !statuses.iter().all(|status| is_status_filter(status)) {
        return Err(ApiError::problem("status", Problem::Value));
    }
    let mut deliveries = call.instance.deliveries.for_hook(hook);
    deliveries.retain(|delivery| {
        is_kept(delivery, call.now)
            && (statuses.is_empty()
                || statuses
                    .iter()
                    .any(|filter| matches_status(delivery, filter)))
    });
    call.page(&deliveries, |delivery| json!(delivery))
}

fn is_kept(delivery: &Delivery, now: Moment) -> bool {
    delivery.at().plus_millis(RETENTION_MILLIS) > now
}

fn is_status_filter(text: &str) -> bool {
    matches!(text, "successful" | "client_failure" | "server_failure")
        || text
            .parse()
            .is_ok_and(|status: u16| (100..600).contains(&status))
}

fn matches_status(delivery: &Delivery, filter: &str) -> bool {
    let status = delivery.status();
    match filter {
        "successful" => status.is_some_and(|status| (200..300).contains(&status)),
        "client_failure" => status.is_some_and(|status| (400..500).contains(&status)),
        "server_failure" => status.is_none_or(|status| status >= 500),
        code => status.is_some_and(|status| status.to_string() == code),
    }
}

/// Repeats a delivery with the hook's current token.
pub(super) fn resend(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let hook = find(call, &call.instance.store.read())?.clone();
    call.count(Limit::HookResend, &hook.project.to_string())?;
    let id = call.capture("event_id").parse().unwrap_or(0);
    let delivery = call
        .instance
        .deliveries
        .find(hook.id, id)
        .filter(|delivery| is_kept(delivery, call.now))
        .ok_or_else(ApiError::no_record)?;
    if !delivery.has_target(&hook.target()) {
        return Err(unprocessable(
            "The hook URL has changed, and this log entry cannot be retried",
        ));
    }
    let receipt = block_on(webhook::deliver(call.instance, delivery.repeat()))
        .map_err(|error| unprocessable(error.to_string()))?;
    Ok(Reply::created(json!({ "response_status": receipt.status })))
}

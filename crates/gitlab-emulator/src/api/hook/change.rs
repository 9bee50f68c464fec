//! Creating, changing and removing webhooks.

use serde_json::{Map, Value, json};

use super::read::{detail, find};
use crate::domain::access::ProjectAbility;
use crate::domain::hook::{BranchFilter, EVENTS, Hook, KeyValue, MAX_HOOKS};
use crate::domain::hook_health::HookHealth;
use crate::domain::hook_url::is_valid_url;
use crate::domain::table::Id;
use crate::git::reference::is_branch_name;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::{NoParams, Params, Problem, Raw, params};
use crate::web::reply::{ApiResult, Reply};

type Pairs = Vec<Map<String, Value>>;

params! {
    struct HookParams {
        url: Option<String>,
        name: Option<String>,
        description: Option<String>,
        token: Option<String>,
        enable_ssl_verification: Option<bool>,
        push_events_branch_filter: Option<String>,
        branch_filter_strategy: Option<String>,
        custom_webhook_template: Option<String>,
        custom_headers: Option<Pairs>,
        url_variables: Option<Pairs>,
    }
}

params! {
    struct SetValue {
        value: String,
    }
}

impl HookParams {
    fn has_any(&self) -> bool {
        let texts = [
            &self.url,
            &self.name,
            &self.description,
            &self.token,
            &self.push_events_branch_filter,
            &self.branch_filter_strategy,
            &self.custom_webhook_template,
        ];
        let lists = [&self.custom_headers, &self.url_variables];
        self.enable_ssl_verification.is_some()
            || texts.into_iter().any(Option::is_some)
            || lists.into_iter().flatten().any(|list| !list.is_empty())
    }
}

fn set(list: &mut Vec<KeyValue>, pair: KeyValue) {
    list.retain(|other| other.key != pair.key);
    list.push(pair);
}

fn set_all(list: &mut Vec<KeyValue>, new: Option<&Pairs>) -> Result<(), ApiError> {
    for pair in new.map_or_else(|| Ok(Vec::new()), pairs)? {
        set(list, pair);
    }
    Ok(())
}

fn pairs(pairs: &Pairs) -> Result<Vec<KeyValue>, ApiError> {
    let text = |pair: &Map<String, Value>, name: &str| {
        pair.get(name).and_then(Value::as_str).map(str::to_owned)
    };
    pairs
        .iter()
        .map(|pair| {
            let key = text(pair, "key");
            let value = text(pair, "value");
            match (key, value) {
                (Some(key), Some(value)) => Ok(KeyValue { key, value }),
                _ => Err(ApiError::unprocessable(
                    "Invalid custom headers or url variables given",
                )),
            }
        })
        .collect()
}

fn events(raw: &Raw, events: &mut Map<String, Value>) -> Result<(), ApiError> {
    for (event, _) in EVENTS {
        if let Some(is_on) = raw.read::<Option<bool>>(event)? {
            events.insert(event.to_owned(), json!(is_on));
        }
    }
    Ok(())
}

fn branch_filter(params: &HookParams, current: &BranchFilter) -> Result<BranchFilter, ApiError> {
    let strategy = params
        .branch_filter_strategy
        .as_deref()
        .unwrap_or(match current {
            BranchFilter::All if params.push_events_branch_filter.is_some() => "wildcard",
            other => other.strategy(),
        });
    let text = params
        .push_events_branch_filter
        .as_deref()
        .unwrap_or(current.text())
        .to_owned();
    match strategy {
        "all_branches" => Ok(BranchFilter::All),
        "wildcard" if text.is_empty() || is_branch_name(&text.replace('*', "x")) => {
            Ok(BranchFilter::Wildcard(text))
        }
        "regex" if regex::Regex::new(&text).is_ok() => Ok(BranchFilter::Regex(text)),
        "wildcard" | "regex" => Err(ApiError::unprocessable("Invalid branch filter given")),
        _ => Err(ApiError::problem("branch_filter_strategy", Problem::Value)),
    }
}

/// Applies the parameters to a hook.
fn apply(hook: &mut Hook, params: &HookParams, raw: &Raw) -> Result<(), ApiError> {
    if let Some(url) = &params.url {
        hook.url.clone_from(url);
    }
    if let Some(name) = &params.name {
        hook.name = Some(name.clone());
    }
    if let Some(description) = &params.description {
        hook.description = Some(description.clone());
    }
    if let Some(token) = &params.token {
        hook.token = Some(token.clone()).filter(|token| !token.is_empty());
    }
    if let Some(verifies) = params.enable_ssl_verification {
        hook.verifies_certificates = verifies;
    }
    if let Some(template) = &params.custom_webhook_template {
        hook.custom_webhook_template = Some(template.clone());
    }
    set_all(&mut hook.custom_headers, params.custom_headers.as_ref())?;
    set_all(&mut hook.url_variables, params.url_variables.as_ref())?;
    hook.branch_filter = branch_filter(params, &hook.branch_filter)?;
    events(raw, &mut hook.events)
}

fn check_target(call: &Call<'_>, hook: &Hook) -> Result<(), ApiError> {
    let state = call.instance.store.read();
    let target = hook.target();
    if target.contains('{') || !is_valid_url(&target, state.settings.get()) {
        return Err(ApiError::unprocessable("Invalid url given"));
    }
    Ok(())
}

pub(super) fn create(call: &Call<'_>, raw: &Raw) -> ApiResult {
    let project = {
        let state = call.instance.store.read();
        call.project_for(&state, ProjectAbility::Administer)?.id
    };
    let url: String = raw.read("url")?;
    let params = HookParams::read(raw)?;
    let mut hook = Hook {
        id: Id::new(0),
        project,
        url,
        name: None,
        description: None,
        token: None,
        verifies_certificates: true,
        events: EVENTS
            .iter()
            .map(|(event, is_on)| ((*event).to_owned(), json!(is_on)))
            .collect(),
        branch_filter: BranchFilter::Wildcard(String::new()),
        custom_webhook_template: None,
        custom_headers: Vec::new(),
        url_variables: Vec::new(),
        health: HookHealth::default(),
        created_at: call.now,
        updated_at: call.now,
    };
    apply(&mut hook, &params, raw)?;
    check_target(call, &hook)?;
    call.instance.change(|state| {
        let own: Vec<&Hook> = state
            .hooks
            .iter()
            .filter(|other| other.project == project)
            .collect();
        if own.len() >= MAX_HOOKS {
            let text = format!("Maximum number of project hooks ({MAX_HOOKS}) exceeded");
            return Err(ApiError::unprocessable(text));
        }
        let is_unique = state.switches.get().unique_hook_urls;
        if is_unique && own.iter().any(|other| other.url == hook.url) {
            return Err(ApiError::unprocessable("Invalid url given"));
        }
        let id = state.hooks.add(|id| Hook { id, ..hook });
        let hook = state.hooks.get(id).ok_or_else(ApiError::internal)?;
        Ok(Reply::created(detail(call, state, hook)))
    })
}

pub(super) fn update(call: &Call<'_>, raw: &Raw) -> ApiResult {
    let mut hook = find(call, &call.instance.store.read())?.clone();
    let params = HookParams::read(raw)?;
    if !params.has_any() && !EVENTS.iter().any(|(event, _)| raw.get(event).is_some()) {
        return Err(ApiError::parameter("No parameters provided"));
    }
    if params.url.as_ref().is_some_and(|url| *url != hook.url) {
        // Secrets must not reach a new receiver unless they are sent along with its URL.
        hook.token = None;
        hook.custom_headers.clear();
        hook.url_variables.clear();
    }
    apply(&mut hook, &params, raw)?;
    check_target(call, &hook)?;
    let hook = save(call, hook)?;
    let state = call.instance.store.read();
    Ok(Reply::ok(detail(call, &state, &hook)))
}

fn save(call: &Call<'_>, hook: Hook) -> Result<Hook, ApiError> {
    call.instance.change(|state| {
        let row = state
            .hooks
            .get_mut(hook.id)
            .ok_or_else(ApiError::no_record)?;
        *row = Hook {
            updated_at: call.now,
            ..hook
        };
        Ok(row.clone())
    })
}

pub(super) fn delete(call: &Call<'_>, _: &NoParams) -> ApiResult {
    call.instance.change(|state| {
        let hook = find(call, state)?;
        call.check_unmodified(hook.updated_at)?;
        let id = hook.id;
        state.hooks.remove(id);
        Ok(Reply::no_content())
    })
}

/// Changes one of the two lists of named secrets.
fn change_pair(
    call: &Call<'_>,
    list: fn(&mut Hook) -> &mut Vec<KeyValue>,
    value: Option<&str>,
) -> ApiResult {
    let mut hook = find(call, &call.instance.store.read())?.clone();
    let key = call.capture("key");
    let pairs = list(&mut hook);
    match value {
        Some(value) => set(
            pairs,
            KeyValue {
                key: key.to_owned(),
                value: value.to_owned(),
            },
        ),
        None if pairs.iter().any(|pair| pair.key == key) => pairs.retain(|pair| pair.key != key),
        None => return Err(ApiError::no_record()),
    }
    save(call, hook)?;
    Ok(Reply::no_content())
}

pub(super) fn set_variable(call: &Call<'_>, params: &SetValue) -> ApiResult {
    change_pair(call, |hook| &mut hook.url_variables, Some(&params.value))
}

pub(super) fn delete_variable(call: &Call<'_>, _: &NoParams) -> ApiResult {
    change_pair(call, |hook| &mut hook.url_variables, None)
}

pub(super) fn set_header(call: &Call<'_>, params: &SetValue) -> ApiResult {
    change_pair(call, |hook| &mut hook.custom_headers, Some(&params.value))
}

pub(super) fn delete_header(call: &Call<'_>, _: &NoParams) -> ApiResult {
    change_pair(call, |hook| &mut hook.custom_headers, None)
}

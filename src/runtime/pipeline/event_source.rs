//! The `EventSource`s: one that GitLab calls, and one of schedules. Argo Events refuses one with both kinds.

use std::collections::BTreeMap;

use kubernetes_apply::object::{Object, ObjectError};
use nautes_model::RepositoryId;
use serde_json::{Map, Value, json};

use super::event::{WebhookEvent, hook_events};
use super::hook_token::{TOKEN_HASH, TOKEN_KEY};
use super::inputs::PipelineInputs;
use crate::clusters::PRODUCT_LABEL;
use crate::components::Component;

/// The port on which an `EventSource` listens.
pub(super) const PORT: u16 = 12000;

/// The annotation with the repositories to which an `EventSource` listens, as Nautes has it.
pub(crate) const CODE_REPOS: &str = "code-repos";

/// The event of a schedule, as Sensors name it.
pub(super) fn calendar_event(event_source: &str) -> String {
    format!("{event_source}-calendar")
}

/// Returns the `EventSource` that GitLab calls; `None` if the runtime listens to no repository.
///
/// It names no `projects`, so Argo Events makes no hooks; the token is checked only because `accessToken` and
/// `webhook.url` are set. `token_hashes` are the hashes of the tokens, whose change makes a new pod: a pod reads them when
/// it starts.
pub(crate) fn gitlab_event_source(
    inputs: &PipelineInputs<'_>,
    webhook_base_url: &str,
    token_hashes: &BTreeMap<RepositoryId, String>,
) -> Result<Option<Object>, ObjectError> {
    let names = inputs.names();
    let repositories = inputs.event_repositories();
    if repositories.is_empty() {
        return Ok(None);
    }
    let mut sources = Map::new();
    for repository in &repositories {
        let events = hook_events(inputs.runtime, *repository).into_iter();
        let events: Vec<&str> = events
            .filter_map(|name| Some(WebhookEvent::find(name)?.argo_events))
            .collect();
        let token = json!({ "name": names.hook_token(*repository), "key": TOKEN_KEY });
        let source = json!({
            "events": events,
            "gitlabBaseURL": inputs.gitlab.url,
            // Validation wants one; without `projects` nothing uses it.
            "accessToken": token,
            "secretToken": token,
            "webhook": {
                "endpoint": names.hook_path(*repository),
                "method": "POST",
                "port": PORT.to_string(),
                "url": webhook_base_url,
            },
        });
        sources.insert(repository.to_string(), source);
    }
    let hashes: Vec<&str> = token_hashes.values().map(String::as_str).collect();
    let code_repos: Vec<String> = repositories.iter().map(ToString::to_string).collect();
    let object = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "EventSource",
        "metadata": {
            "name": names.gitlab(),
            "namespace": Component::ArgoEvents.namespace(),
            "labels": { PRODUCT_LABEL: inputs.product() },
            "annotations": { CODE_REPOS: code_repos.join(",") },
        },
        "spec": {
            "eventBusName": "default",
            "service": { "ports": [{ "port": PORT, "targetPort": PORT }] },
            "template": {
                "metadata": { "annotations": { TOKEN_HASH: hashes.join(".") } },
                "container": {
                    "volumeMounts": [{ "name": "certs-volume", "mountPath": "/etc/ssl/certs" }],
                },
                "volumes": [{ "name": "certs-volume", "configMap": { "name": "ca-certificates" } }],
            },
            "gitlab": sources,
        },
    });
    Object::new(object).map(Some)
}

/// Returns the `EventSource` of schedules; `None` if the runtime has none.
pub(crate) fn calendar_event_source(
    inputs: &PipelineInputs<'_>,
) -> Result<Option<Object>, ObjectError> {
    let sources = inputs.runtime.event_sources.iter();
    let calendars = sources.filter_map(|(name, source)| Some((name, source.calendar.as_ref()?)));
    let calendars: Map<String, Value> = calendars
        .map(|(name, calendar)| {
            let texts = [
                ("schedule", calendar.schedule.as_deref()),
                ("interval", calendar.interval.as_deref()),
                ("timezone", calendar.timezone.as_deref()),
            ];
            let texts = texts.into_iter().filter_map(|(key, text)| {
                let text = text.filter(|text| !text.is_empty())?;
                Some((key.to_owned(), Value::from(text)))
            });
            let mut fields: Map<String, Value> = texts.collect();
            if !calendar.exclusion_dates.is_empty() {
                let dates = json!(calendar.exclusion_dates);
                fields.insert("exclusionDates".to_owned(), dates);
            }
            (calendar_event(name), fields.into())
        })
        .collect();
    if calendars.is_empty() {
        return Ok(None);
    }
    let object = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "EventSource",
        "metadata": {
            "name": inputs.names().calendar(),
            "namespace": Component::ArgoEvents.namespace(),
            "labels": { PRODUCT_LABEL: inputs.product() },
        },
        "spec": { "eventBusName": "default", "calendar": calendars },
    });
    Object::new(object).map(Some)
}

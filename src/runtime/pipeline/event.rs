//! The events of GitLab, as Nautes, GitLab's hooks and Argo Events call them.

use std::collections::BTreeSet;

use nautes_model::RepositoryId;
use nautes_model::entity::PipelineRuntime;

/// An event of GitLab.
///
/// Names in hooks: GitLab `app/models/concerns/triggerable_hooks.rb`; in headers: `lib/gitlab/data_builder`; in Argo
/// Events: `pkg/eventsources/sources/gitlab/start.go`.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct WebhookEvent {
    /// Its name in Nautes, which is its flag of a hook too.
    pub(crate) name: &'static str,
    /// Its name in Argo Events.
    pub(crate) argo_events: &'static str,
    /// The header `X-Gitlab-Event`.
    pub(crate) header: &'static str,
}

const fn event(
    name: &'static str,
    argo_events: &'static str,
    header: &'static str,
) -> WebhookEvent {
    WebhookEvent {
        name,
        argo_events,
        header,
    }
}

const EVENTS: [WebhookEvent; 11] = [
    event(
        "confidential_issues_events",
        "ConfidentialIssuesEvents",
        "Confidential Issue Hook",
    ),
    event(
        "confidential_note_events",
        "ConfidentialNoteEvents",
        "Confidential Note Hook",
    ),
    event("deployment_events", "DeploymentEvents", "Deployment Hook"),
    event("issues_events", "IssuesEvents", "Issue Hook"),
    event("job_events", "JobEvents", "Job Hook"),
    event(
        "merge_requests_events",
        "MergeRequestsEvents",
        "Merge Request Hook",
    ),
    event("note_events", "NoteEvents", "Note Hook"),
    event("pipeline_events", "PipelineEvents", "Pipeline Hook"),
    event("push_events", "PushEvents", "Push Hook"),
    event("releases_events", "ReleasesEvents", "Release Hook"),
    event("tag_push_events", "TagPushEvents", "Tag Push Hook"),
];

impl WebhookEvent {
    /// Finds an event by its name in Nautes.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        EVENTS.iter().find(|event| event.name == name)
    }

    /// Whether its body names a branch or a tag.
    pub(super) fn has_ref(&self) -> bool {
        matches!(self.name, "push_events" | "tag_push_events")
    }

    /// Returns where the value of a variable is in the event; `None` if this event does not have it (Nautes'
    /// `app/runtime-operator`, `rules.yaml`).
    pub(super) fn data_key(&self, variable: &str) -> Option<&'static str> {
        let is_merge_request = self.name == "merge_requests_events";
        Some(match variable {
            "commitID" => "body.after",
            "ref" => "default.ref",
            "target_branch" if is_merge_request => "body.object_attributes.target_branch",
            "source_branch" if is_merge_request => "body.object_attributes.source_branch",
            "labels" if is_merge_request => "body.object_attributes.labels",
            "title" if is_merge_request => "body.object_attributes.title",
            "state" if is_merge_request => "body.object_attributes.state_id",
            _ => return None,
        })
    }
}

/// Returns the events for which the hook of a repository is called: those of all event sources of the runtime.
pub(crate) fn hook_events(
    runtime: &PipelineRuntime,
    repository: RepositoryId,
) -> BTreeSet<&'static str> {
    let sources = runtime.event_sources.values();
    let listening = sources
        .filter_map(|source| source.gitlab.as_ref())
        .filter(|gitlab| gitlab.code_repo == repository);
    listening
        .flat_map(|gitlab| &gitlab.events)
        .filter_map(|name| WebhookEvent::find(name))
        .map(|event| event.name)
        .collect()
}

#[cfg(test)]
mod tests {
    use nautes_model::entity::webhook_event;

    use super::*;

    #[test]
    fn every_event_of_the_model_is_known() {
        let names: Vec<_> = EVENTS.iter().map(|event| event.name).collect();
        assert_eq!(names, webhook_event::ALL);
    }

    #[test]
    fn a_merge_request_has_what_no_push_has() {
        let push = WebhookEvent::find("push_events").unwrap();
        let merge_request = WebhookEvent::find("merge_requests_events").unwrap();
        assert_eq!(push.data_key("commitID"), Some("body.after"));
        assert_eq!(push.data_key("title"), None);
        let title = merge_request.data_key("title");
        assert_eq!(title, Some("body.object_attributes.title"));
        assert_eq!(merge_request.data_key("unknown"), None);
    }
}

//! GitLab's webhook events, by their names in Nautes.

/// The events that Nautes accepts (`app/api-server/pkg/nodestree/reference.go`).
pub const ALL: [&str; 11] = [
    "confidential_issues_events",
    "confidential_note_events",
    "deployment_events",
    "issues_events",
    "job_events",
    "merge_requests_events",
    "note_events",
    "pipeline_events",
    "push_events",
    "releases_events",
    "tag_push_events",
];

/// The events that pipeline runtimes handle. The others have no mapping in Nautes's
/// `event_mapping.go` or `pipelineRuntime.go` (`app/runtime-operator/internal`).
pub const HANDLED: [&str; 7] = [
    "issues_events",
    "job_events",
    "merge_requests_events",
    "note_events",
    "pipeline_events",
    "push_events",
    "tag_push_events",
];

/// The events whose payload has a Git reference that a revision can match.
pub const WITH_REVISION: [&str; 2] = ["push_events", "tag_push_events"];

/// Returns whether Nautes accepts the event.
pub fn is_known(event: &str) -> bool {
    ALL.contains(&event)
}

/// Returns whether pipeline runtimes handle the event.
pub fn is_handled(event: &str) -> bool {
    HANDLED.contains(&event)
}

//! GitLab's webhook events as Nautes names them.

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

/// The events that pipeline runtimes can handle: the others have no mapping in Nautes's
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

/// The events whose payload carries a Git reference, so that a revision can be matched.
pub const WITH_REVISION: [&str; 2] = ["push_events", "tag_push_events"];

/// Tells whether Nautes accepts the event.
pub fn is_known(event: &str) -> bool {
    ALL.contains(&event)
}

/// Tells whether pipeline runtimes can handle the event.
pub fn is_handled(event: &str) -> bool {
    HANDLED.contains(&event)
}

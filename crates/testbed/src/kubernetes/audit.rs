//! The audit log of the API server.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::Error;

/// The policy: one event for each finished request, without bodies, since these contain secrets.
pub(super) const POLICY: &str = "apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
";

/// A finished request, as in the API `audit.k8s.io/v1`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// The verb, such as `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`.
    pub verb: String,
    /// The path and query.
    #[serde(rename = "requestURI")]
    pub request_uri: String,
    /// The user who made the request.
    pub user: AuditUser,
    /// The user in whose name it was made, if that is another one.
    pub impersonated_user: Option<AuditUser>,
    /// The client's name for itself.
    #[serde(default)]
    pub user_agent: String,
    /// The object; `None` for paths that are not objects, such as `/readyz`.
    pub object_ref: Option<AuditObject>,
    /// The outcome.
    pub response_status: Option<AuditStatus>,
    /// When the request arrived.
    #[serde(rename = "requestReceivedTimestamp", with = "time::serde::rfc3339")]
    pub received: time::OffsetDateTime,
    /// When it was finished.
    #[serde(rename = "stageTimestamp", with = "time::serde::rfc3339")]
    pub finished: time::OffsetDateTime,
}

/// The user of an audit event.
#[derive(Debug, Clone, Deserialize)]
pub struct AuditUser {
    /// The user name, such as `system:serviceaccount:<namespace>:<name>`.
    pub username: String,
}

/// The object of an audit event.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditObject {
    /// The API group; empty for the core group.
    pub api_group: String,
    /// The resource, in the plural.
    pub resource: String,
    /// The subresource, such as `status`, or empty.
    pub subresource: String,
    /// The namespace, or empty.
    pub namespace: String,
    /// The name, or empty.
    pub name: String,
}

/// The outcome of an audit event.
#[derive(Debug, Clone, Deserialize)]
pub struct AuditStatus {
    /// The HTTP status.
    pub code: u16,
}

/// Reads the events of a log, oldest first.
pub(super) fn read(log: &Path) -> Result<Vec<AuditEvent>, Error> {
    let text = fs::read_to_string(log).map_err(Error::file("read", log))?;
    // The last line may be incomplete while the server writes it.
    let complete = text.rfind('\n').map_or("", |end| text.split_at(end).0);
    let events = complete.lines().map(serde_json::from_str);
    events
        .collect::<Result<_, _>>()
        .map_err(|source| Error::Output {
            command: "kube-apiserver".to_owned(),
            expected: "audit events",
            source: Some(source),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_lines_are_events() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("audit.log");
        let event = r#"{"kind":"Event","verb":"get","requestURI":"/readyz","user":{"username":"a"},"requestReceivedTimestamp":"2026-01-02T03:04:05.678901Z","stageTimestamp":"2026-01-02T03:04:06.000000Z"}"#;
        fs::write(&log, format!("{event}\n{event}\n{{\"kind\":")).unwrap();
        let events = read(&log).unwrap();
        assert_eq!(events.len(), 2);
        assert_eq!(events[1].request_uri, "/readyz");
        fs::write(&log, "").unwrap();
        assert!(read(&log).unwrap().is_empty());
    }
}

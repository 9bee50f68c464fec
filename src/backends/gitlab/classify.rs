//! From an answer that is not a success to the [`Kind`] of its error.

use http::{HeaderMap, StatusCode, header};

use super::error::Kind;
use super::limit;
use super::refusal::Refusal;

/// Texts of a lost race for a branch. Gitaly's `reference update: ...` is current; the request to
/// refresh is what older servers say (Gitaly `update_with_hooks.go`).
const REFERENCE_MOVED: &[&str] = &[
    "reference does not point to expected object",
    "reference is already locked",
    "reference already exists",
    "reference update: state update",
    "update reference:",
    "please refresh and try again",
];

/// Texts of a file that is not as the commit assumed (GitLab `app/services/files/`, Gitaly
/// `commit_files.go`).
const FILE_CHANGED: &[&str] = &[
    "has changed since you started editing",
    "a file with this name already exists",
    "a file with this name doesn't exist",
];

/// Decides what an answer means. `status` is not a success.
pub(super) fn classify(status: StatusCode, headers: &HeaderMap, refusal: &Refusal) -> Kind {
    match status {
        StatusCode::UNAUTHORIZED => Kind::Unauthorized,
        StatusCode::FORBIDDEN => Kind::Forbidden {
            scopes: refusal.scopes.clone(),
        },
        StatusCode::NOT_FOUND => Kind::NotFound,
        StatusCode::TOO_MANY_REQUESTS => Kind::Limited {
            wait: limit::wait_asked_for(headers),
            everything: counts_everything(headers, refusal),
        },
        StatusCode::CONFLICT if refusal.says_any(&["resource lock"]) => Kind::Locked,
        StatusCode::CONFLICT => Kind::Taken,
        StatusCode::METHOD_NOT_ALLOWED if refusal.says_any(&["moved projects"]) => {
            Kind::Redirected { location: None }
        }
        status if status.is_redirection() => Kind::Redirected {
            location: location(headers),
        },
        status if status.is_server_error() => Kind::Server {
            status,
            wait: limit::wait_asked_for(headers),
        },
        _ => refused(refusal),
    }
}

fn refused(refusal: &Refusal) -> Kind {
    if refusal.says_any(&["still being deleted"]) {
        Kind::BeingDeleted
    } else if refusal.says_any(&["already marked for deletion"]) {
        Kind::AlreadyMarked
    } else if refusal.says_any(&["file directory conflict"]) {
        // A branch `a` beside a branch `a/b`: Gitaly words it like a race, but it is for good.
        Kind::Invalid
    } else if refusal.says_any(REFERENCE_MOVED) {
        Kind::ReferenceMoved
    } else if refusal.says_any(FILE_CHANGED) {
        Kind::FileChanged
    } else if refusal.says_any(&["has already been taken", "already exists"]) {
        Kind::Taken
    } else if refusal.says_any(&["could not be updated!"]) {
        // A background job updated the project at the same moment.
        Kind::Locked
    } else {
        Kind::Invalid
    }
}

/// `Rack::Attack` counts all calls of a user; it answers in plain text and names its throttle.
/// Limits of single routes are the application's own, which answers in JSON.
fn counts_everything(headers: &HeaderMap, refusal: &Refusal) -> bool {
    let throttle = headers
        .get("ratelimit-name")
        .map(http::HeaderValue::as_bytes);
    !refusal.structured || throttle.is_some_and(|name| name.starts_with(b"throttle_"))
}

fn location(headers: &HeaderMap) -> Option<String> {
    headers
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn kind(status: u16, body: &str) -> Kind {
        classify(
            StatusCode::from_u16(status).unwrap(),
            &HeaderMap::new(),
            &Refusal::parse(body.as_bytes()),
        )
    }

    #[test]
    fn refusals_are_told_apart_by_what_gitlab_says() {
        let taken = r#"{"message":"Failed to save group {:path=>[\"has already been taken\"]}"}"#;
        assert_eq!(kind(400, taken), Kind::Taken);
        let being_deleted = r#"{"message":{"project_namespace.name":["has already been taken"],
            "base":["The project is still being deleted. Please try again later."]}}"#;
        assert_eq!(kind(400, being_deleted), Kind::BeingDeleted);
        let marked = r#"{"message":"Group has been already marked for deletion"}"#;
        assert_eq!(kind(400, marked), Kind::AlreadyMarked);
        assert_eq!(
            kind(400, r#"{"message":"Project could not be updated!"}"#),
            Kind::Locked
        );
        assert_eq!(
            kind(409, r#"{"message":"409 Conflict: Resource lock"}"#),
            Kind::Locked
        );
        assert_eq!(
            kind(409, r#"{"message":"Member already exists"}"#),
            Kind::Taken
        );
        assert_eq!(kind(422, r#"{"error":"Invalid url given"}"#), Kind::Invalid);
        assert_eq!(
            kind(404, r#"{"message":"404 Project Not Found"}"#),
            Kind::NotFound
        );
    }

    #[test]
    fn both_texts_of_a_lost_race_are_known_and_a_name_conflict_is_not_one() {
        for text in [
            "9:reference update: reference does not point to expected object.",
            "9:reference update: reference is already locked",
            "9:Could not update refs/heads/main. Please refresh and try again..",
        ] {
            assert_eq!(
                kind(400, &format!(r#"{{"message":"{text}"}}"#)),
                Kind::ReferenceMoved
            );
        }
        let conflict = r#"{"message":"9:reference update: file directory conflict"}"#;
        assert_eq!(kind(400, conflict), Kind::Invalid);
    }

    #[test]
    fn a_file_that_is_not_as_assumed_is_told_apart_from_a_taken_name() {
        for text in [
            "The file has changed since you started editing it: envs/a.yaml",
            "A file with this name already exists",
            "A file with this name doesn't exist",
        ] {
            assert_eq!(
                kind(400, &format!(r#"{{"message":"{text}"}}"#)),
                Kind::FileChanged
            );
        }
    }

    #[test]
    fn the_missing_scope_is_named() {
        let body = r#"{"error":"insufficient_scope","error_description":"x","scope":"api"}"#;
        assert_eq!(
            kind(403, body),
            Kind::Forbidden {
                scopes: vec!["api".into()]
            }
        );
    }

    #[test]
    fn a_throttle_holds_for_every_call_and_a_limiter_for_its_own() {
        assert_eq!(
            kind(429, "Retry later\n"),
            Kind::Limited {
                wait: None,
                everything: true
            }
        );
        let limiter = r#"{"message":{"error":"This archive has been requested too many times."}}"#;
        assert_eq!(
            kind(429, limiter),
            Kind::Limited {
                wait: None,
                everything: false
            }
        );
    }

    #[test]
    fn a_write_to_a_moved_project_is_a_redirection() {
        let body = r#"{"message":"Non GET methods are not allowed for moved projects"}"#;
        assert_eq!(kind(405, body), Kind::Redirected { location: None });
    }

    #[test]
    fn a_failing_server_may_ask_to_wait() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "3".parse().unwrap());
        let status = StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!(
            classify(status, &headers, &Refusal::parse(b"")),
            Kind::Server {
                status,
                wait: Some(Duration::from_secs(3))
            }
        );
    }
}

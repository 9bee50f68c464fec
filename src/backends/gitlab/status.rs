//! What an answer of GitLab means.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};

use super::error::{Error, ForbiddenReason, Kind};
use super::error_body::ErrorBody;
use crate::backends::http::{Call, FieldErrors, RateLimit, TransportError, requested_wait};

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

/// Texts of a push that the branch's protection or the owner's role forbids (GitLab
/// `lib/api/commits.rb`, `lib/gitlab/checks/branch_check.rb`).
const PUSH_FORBIDDEN: &[&str] = &[
    "not allowed to push into this branch",
    "not allowed to push code to protected branches",
];

/// Returns an answer if it is a success, and its error otherwise.
///
/// `named_limit` is the rate limit that the answer names.
pub(super) fn check_status(
    call: &Call,
    answer: Response<Bytes>,
    named_limit: Option<RateLimit>,
) -> Result<Response<Bytes>, Error> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    let body = ErrorBody::parse(answer.body());
    let kind = classify(answer.status(), answer.headers(), &body, named_limit);
    let call = call.answered_with(answer.headers());
    Err(Error::refused(call, kind, body.errors))
}

fn classify(
    status: StatusCode,
    headers: &HeaderMap,
    body: &ErrorBody,
    named_limit: Option<RateLimit>,
) -> Kind {
    let says = |phrases: &[&str]| body.errors.contain_any(phrases);
    match status {
        StatusCode::UNAUTHORIZED => Kind::Unauthorized,
        StatusCode::FORBIDDEN => Kind::Forbidden {
            reason: forbidden_reason(body),
        },
        // This address leads to something else: GitLab's API answers in JSON.
        StatusCode::NOT_FOUND if !body.is_json || body.is_no_endpoint => {
            TransportError::UnexpectedBody.into()
        }
        StatusCode::NOT_FOUND => Kind::NotFound,
        StatusCode::TOO_MANY_REQUESTS => Kind::Transport(TransportError::Limited {
            limit: named_limit.unwrap_or(nameless_limit(body)),
            wait: requested_wait(headers),
        }),
        StatusCode::CONFLICT if says(&["resource lock"]) => Kind::Locked,
        StatusCode::CONFLICT => Kind::Taken,
        StatusCode::METHOD_NOT_ALLOWED if says(&["moved projects"]) => {
            TransportError::Redirected { location: None }.into()
        }
        status if status.is_redirection() => TransportError::redirected(headers).into(),
        status if status.is_server_error() => Kind::Transport(TransportError::Server {
            status,
            wait: requested_wait(headers),
        }),
        _ => refusal(&body.errors),
    }
}

fn refusal(errors: &FieldErrors) -> Kind {
    let says = |phrases: &[&str]| errors.contain_any(phrases);
    if says(&["still being deleted"]) {
        Kind::BeingDeleted
    } else if says(&["already marked for deletion"]) {
        Kind::AlreadyMarked
    } else if says(&["file directory conflict"]) {
        // A branch `a` beside a branch `a/b`: Gitaly words it like a race, but it is permanent.
        Kind::Invalid
    } else if says(REFERENCE_MOVED) {
        Kind::ReferenceMoved
    } else if says(FILE_CHANGED) {
        Kind::FileChanged
    } else if says(PUSH_FORBIDDEN) {
        let reason = ForbiddenReason::PushToBranch;
        Kind::Forbidden { reason }
    } else if says(&["type is forbidden"]) {
        Kind::KeyTypeNotAllowed
    } else if says(&["has already been taken", "already exists"]) {
        Kind::Taken
    } else if says(&["could not be updated!"]) {
        // A background job updated the project at the same moment.
        Kind::Locked
    } else {
        Kind::Invalid
    }
}

fn forbidden_reason(body: &ErrorBody) -> ForbiddenReason {
    if !body.scopes.is_empty() {
        let scopes = body.scopes.clone();
        ForbiddenReason::MissingScope { scopes }
    } else if body.errors.contain_any(PUSH_FORBIDDEN) {
        ForbiddenReason::PushToBranch
    } else {
        ForbiddenReason::Other
    }
}

/// `Rack::Attack` counts all calls of a user and answers in plain text. Limits of single routes are the
/// application's own, which answers in JSON.
fn nameless_limit(body: &ErrorBody) -> RateLimit {
    if body.is_json {
        RateLimit::Route
    } else {
        RateLimit::AllCalls
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn kind(status: u16, body: &str) -> Kind {
        classify(
            StatusCode::from_u16(status).unwrap(),
            &HeaderMap::new(),
            &ErrorBody::parse(body.as_bytes()),
            None,
        )
    }

    #[test]
    fn refusals_are_distinguished_by_what_gitlab_says() {
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
    fn a_changed_file_is_distinguished_from_a_taken_name() {
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
                reason: ForbiddenReason::MissingScope {
                    scopes: vec!["api".into()]
                }
            }
        );
    }

    #[test]
    fn a_throttle_holds_for_every_call_and_a_limiter_for_its_own() {
        let limited = |limit| Kind::Transport(TransportError::Limited { limit, wait: None });
        assert_eq!(kind(429, "Retry later\n"), limited(RateLimit::AllCalls));
        let limiter = r#"{"message":{"error":"This archive has been requested too many times."}}"#;
        assert_eq!(kind(429, limiter), limited(RateLimit::Route));
        let named = RateLimit::Named("throttle_authenticated_files_api".to_owned());
        let status = StatusCode::TOO_MANY_REQUESTS;
        let body = ErrorBody::parse(b"Retry later\n");
        assert_eq!(
            classify(status, &HeaderMap::new(), &body, Some(named.clone())),
            limited(named)
        );
    }

    #[test]
    fn a_forbidden_push_is_distinguished_from_a_missing_scope() {
        let reason = ForbiddenReason::PushToBranch;
        let forbidden = Kind::Forbidden { reason };
        let early = r#"{"message":"403 Forbidden - You are not allowed to push into this branch"}"#;
        assert_eq!(kind(403, early), forbidden);
        let late = r#"{"message":"You are not allowed to push into this branch"}"#;
        assert_eq!(kind(400, late), forbidden);
    }

    #[test]
    fn a_forbidden_type_of_keys_is_reported() {
        let body = r#"{"message":{"deploy_key.key":["type is forbidden. Must be RSA"]}}"#;
        assert_eq!(kind(400, body), Kind::KeyTypeNotAllowed);
    }

    #[test]
    fn a_404_of_something_else_is_not_taken_for_a_missing_object() {
        for body in [
            "<html><title>404 Not Found</title></html>",
            "404 page not found",
            r#"{"error":"404 Not Found"}"#,
            "",
        ] {
            assert_eq!(kind(404, body), TransportError::UnexpectedBody.into());
        }
    }

    #[test]
    fn a_write_to_a_moved_project_is_a_redirection() {
        let body = r#"{"message":"Non GET methods are not allowed for moved projects"}"#;
        let redirected = TransportError::Redirected { location: None };
        assert_eq!(kind(405, body), redirected.into());
    }

    #[test]
    fn a_failing_server_may_ask_to_wait() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "3".parse().unwrap());
        let status = StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!(
            classify(status, &headers, &ErrorBody::parse(b""), None),
            Kind::Transport(TransportError::Server {
                status,
                wait: Some(Duration::from_secs(3))
            })
        );
    }
}

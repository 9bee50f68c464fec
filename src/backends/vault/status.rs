//! What an answer of Vault means.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use serde::Deserialize;

use super::error::{Error, Kind};
use super::request::Request;
use super::transport::Answer;
use crate::backends::http::{FieldError, FieldErrors, RateLimit, TransportError, requested_wait};

/// The body of an answer that is not a success.
#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default)]
    errors: Vec<String>,
}

/// Returns an answer if it is a success or says that there is no such thing, and its error otherwise.
pub(super) fn check_status(request: &Request, answer: Response<Bytes>) -> Result<Answer, Error> {
    let (parts, body) = answer.into_parts();
    let call = request.http.call.answered_with(&parts.headers);
    let status = parts.status;
    if status.is_success() {
        return Ok(Answer { call, status, body });
    }
    let errors = parse_errors(&body);
    match classify(status, &parts.headers, errors.as_ref(), request) {
        Kind::NotFound => Ok(Answer { call, status, body }),
        kind => Err(Error::refused(call, kind, errors.unwrap_or_default())),
    }
}

/// Reads the errors in a body; `None` if the body is not one of Vault's.
fn parse_errors(body: &[u8]) -> Option<FieldErrors> {
    let ErrorBody { errors } = serde_json::from_slice(body).ok()?;
    let errors = errors.iter().map(|text| FieldError {
        field: None,
        text: on_one_line(text),
    });
    Some(FieldErrors(errors.collect()))
}

/// Vault lists errors as `2 errors occurred:` with a line each, even if it is one.
fn on_one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let only = line.strip_prefix("1 error occurred: * ");
    only.map(str::to_owned).unwrap_or(line)
}

/// Decides what an answer means. `status` is not a success; `errors` is `None` if the body is not Vault's.
///
/// Texts are those of Vault's and `OpenBao`'s `vault/logical_system.go`, `vault/router.go`,
/// `http/handler.go` and of their key-value engine.
fn classify(
    status: StatusCode,
    headers: &HeaderMap,
    errors: Option<&FieldErrors>,
    request: &Request,
) -> Kind {
    let says = |phrases: &[&str]| errors.is_some_and(|errors| errors.contain_any(phrases));
    match status {
        StatusCode::FORBIDDEN => Kind::Forbidden {
            rule: request.rule(),
        },
        StatusCode::NOT_FOUND if errors.is_none() => TransportError::UnexpectedBody.into(),
        StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST if says(&["namespace not found"]) => {
            Kind::NoNamespace
        }
        StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST
            if says(&["no handler for route", "no secret engine mount"]) =>
        {
            Kind::NoMount {
                mount: request.mount.clone(),
            }
        }
        StatusCode::NOT_FOUND => Kind::NotFound,
        StatusCode::BAD_REQUEST if says(&["check-and-set parameter did not match"]) => {
            Kind::Conflict
        }
        StatusCode::BAD_REQUEST if says(&["upgrading from non-versioned"]) => Kind::NotReady,
        // Eventual consistency of performance standbys, as in HCP Vault: the node has not seen yet what
        // another one wrote.
        StatusCode::PRECONDITION_FAILED => Kind::NotReady,
        status if status.is_server_error() && says(&["active cluster node not found"]) => {
            Kind::NotReady
        }
        StatusCode::SERVICE_UNAVAILABLE if says(&["is sealed"]) => Kind::Sealed,
        StatusCode::TOO_MANY_REQUESTS => Kind::Transport(TransportError::Limited {
            limit: RateLimit::Route,
            wait: requested_wait(headers),
        }),
        status if status.is_redirection() => TransportError::redirected(headers).into(),
        status if status.is_server_error() => Kind::Transport(TransportError::Server {
            status,
            wait: requested_wait(headers),
        }),
        _ => Kind::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::request::Verb;
    use super::*;
    use crate::backends::http::ApiRoot;

    fn read() -> Request {
        let api = ApiRoot::parse("https://vault", "/v1").unwrap();
        Request::new(&api, Verb::Read, "git", "data/a")
    }

    fn kind(status: u16, body: &str) -> Kind {
        classify(
            StatusCode::from_u16(status).unwrap(),
            &HeaderMap::new(),
            parse_errors(body.as_bytes()).as_ref(),
            &read(),
        )
    }

    #[test]
    fn a_sealed_server_is_distinguished_from_a_failing_one() {
        assert_eq!(kind(503, r#"{"errors":["Vault is sealed"]}"#), Kind::Sealed);
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let failed = TransportError::Server { status, wait: None };
        assert_eq!(kind(503, "<html>"), failed.into());
    }

    #[test]
    fn a_missing_mount_is_distinguished_from_a_missing_secret() {
        let mount = "git".to_owned();
        let missing =
            r#"{"errors":["no handler for route \"git/data/a\". route entry not found."]}"#;
        assert_eq!(kind(404, missing), Kind::NoMount { mount });
        assert_eq!(kind(404, r#"{"errors":[]}"#), Kind::NotFound);
    }

    #[test]
    fn a_lost_race_is_a_conflict() {
        let lost = r#"{"errors":["check-and-set parameter did not match the current version"]}"#;
        assert_eq!(kind(400, lost), Kind::Conflict);
        assert_eq!(kind(400, r#"{"errors":["missing data"]}"#), Kind::Invalid);
    }

    #[test]
    fn the_wait_that_a_quota_asks_for_is_read() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "3".parse().unwrap());
        let status = StatusCode::TOO_MANY_REQUESTS;
        assert_eq!(
            classify(status, &headers, None, &read()),
            Kind::Transport(TransportError::Limited {
                limit: RateLimit::Route,
                wait: Some(Duration::from_secs(3))
            })
        );
    }

    #[test]
    fn a_node_that_lags_behind_or_has_no_leader_is_not_ready() {
        let lagging = r#"{"errors":["required index state not present"]}"#;
        assert_eq!(kind(412, lagging), Kind::NotReady);
        let leaderless =
            r#"{"errors":["local node not active but active cluster node not found"]}"#;
        assert_eq!(kind(500, leaderless), Kind::NotReady);
    }

    #[test]
    fn an_unknown_namespace_and_a_404_of_something_else_are_no_missing_secrets() {
        let unknown = r#"{"errors":["namespace not found"]}"#;
        assert_eq!(kind(404, unknown), Kind::NoNamespace);
        let elsewhere = kind(404, "404 page not found");
        assert_eq!(elsewhere, TransportError::UnexpectedBody.into());
    }

    #[test]
    fn a_list_of_one_error_is_that_error() {
        let texts = |body: &str| -> Vec<String> {
            let FieldErrors(errors) = parse_errors(body.as_bytes()).unwrap();
            errors.into_iter().map(|error| error.text).collect()
        };
        let one = r#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#;
        assert_eq!(texts(one), ["permission denied"]);
        let two = r#"{"errors":["2 errors occurred:\n\t* no\n\t* never\n\n"]}"#;
        assert_eq!(texts(two), ["2 errors occurred: * no * never"]);
    }

    #[test]
    fn a_missing_permission_names_the_line_that_grants_it() {
        let kind = kind(403, r#"{"errors":["permission denied"]}"#);
        let rule = r#"path "git/data/a" { capabilities = ["read"] }"#.to_owned();
        assert_eq!(kind, Kind::Forbidden { rule });
    }
}

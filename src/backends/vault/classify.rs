//! From an answer that is not a success to the [`Kind`] of its error.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use super::error::{Complaints, Kind};
use super::request::Request;

/// The longest wait that is taken from an answer; anything above is a mistake of some proxy.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The body of an answer that is not a success.
#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    errors: Vec<String>,
}

/// What a refusal says; nothing when it is not Vault's own.
pub(super) fn complaints(body: &[u8]) -> Complaints {
    let refusal = serde_json::from_slice::<Refusal>(body);
    let errors = refusal.map(|refusal| refusal.errors).unwrap_or_default();
    Complaints(errors.iter().map(|text| on_one_line(text)).collect())
}

/// Vault lists errors as `2 errors occurred:` with a line each, even if it is one.
fn on_one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let only = line.strip_prefix("1 error occurred: * ");
    only.map(str::to_owned).unwrap_or(line)
}

/// Decides what an answer means. `status` is not a success.
///
/// Texts are those of Vault's and `OpenBao`'s `vault/logical_system.go`, `vault/router.go` and of their
/// key-value engine.
pub(super) fn classify(
    status: StatusCode,
    headers: &HeaderMap,
    complaints: &Complaints,
    request: &Request,
) -> Kind {
    let says = |text: &str| {
        let mut texts = complaints.0.iter();
        texts.any(|complaint| complaint.to_lowercase().contains(text))
    };
    match status {
        StatusCode::FORBIDDEN => Kind::Forbidden {
            rule: request.rule(),
        },
        StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST
            if says("no handler for route") || says("no secret engine mount") =>
        {
            Kind::NoMount {
                mount: request.mount.clone(),
            }
        }
        StatusCode::NOT_FOUND => Kind::NotFound,
        StatusCode::BAD_REQUEST if says("check-and-set parameter did not match") => Kind::Conflict,
        StatusCode::BAD_REQUEST if says("upgrading from non-versioned") => Kind::NotReady,
        StatusCode::SERVICE_UNAVAILABLE if says("is sealed") => Kind::Sealed,
        StatusCode::TOO_MANY_REQUESTS => Kind::Limited {
            wait: wait_asked_for(headers),
        },
        status if status.is_redirection() => Kind::Redirected {
            location: text_of(headers, &header::LOCATION),
        },
        status if status.is_server_error() => Kind::Server { status },
        _ => Kind::Invalid,
    }
}

fn wait_asked_for(headers: &HeaderMap) -> Option<Duration> {
    let seconds = text_of(headers, &header::RETRY_AFTER)?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

fn text_of(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::request::Verb;
    use super::*;

    fn kind(status: u16, body: &str) -> Kind {
        classify(
            StatusCode::from_u16(status).unwrap(),
            &HeaderMap::new(),
            &complaints(body.as_bytes()),
            &Request::new(Verb::Read, "git", "data/a"),
        )
    }

    #[test]
    fn a_sealed_server_is_told_apart_from_one_that_fails() {
        assert_eq!(kind(503, r#"{"errors":["Vault is sealed"]}"#), Kind::Sealed);
        let status = StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!(kind(503, "<html>"), Kind::Server { status });
    }

    #[test]
    fn a_missing_mount_is_told_apart_from_a_missing_secret() {
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
        let request = Request::new(Verb::Read, "git", "data/a");
        let status = StatusCode::TOO_MANY_REQUESTS;
        assert_eq!(
            classify(status, &headers, &Complaints::default(), &request),
            Kind::Limited {
                wait: Some(Duration::from_secs(3))
            }
        );
    }

    #[test]
    fn a_list_of_one_complaint_is_that_complaint() {
        let one = r#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#;
        assert_eq!(complaints(one.as_bytes()).0, ["permission denied"]);
        let two = r#"{"errors":["2 errors occurred:\n\t* no\n\t* never\n\n"]}"#;
        assert_eq!(
            complaints(two.as_bytes()).0,
            ["2 errors occurred: * no * never"]
        );
    }

    #[test]
    fn a_missing_permission_names_the_line_that_gives_it() {
        let kind = kind(403, r#"{"errors":["permission denied"]}"#);
        let rule = r#"path "git/data/a" { capabilities = ["read"] }"#.to_owned();
        assert_eq!(kind, Kind::Forbidden { rule });
    }
}

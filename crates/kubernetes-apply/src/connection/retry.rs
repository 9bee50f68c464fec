//! When a failed call is sent again.

use std::time::Duration;

use http_resilience::RetryReason;

use super::error::{ApiStatus, CallFailure};
use super::transport_error::TransportError;

impl CallFailure {
    /// Returns why the same call may succeed later, if it may.
    pub(super) fn retry_reason(&self) -> Option<RetryReason> {
        match self {
            Self::Transport(TransportError::Unreachable { .. }) => Some(RetryReason::Unreachable),
            Self::Transport(TransportError::Interrupted { .. }) => Some(RetryReason::Interrupted),
            Self::Transport(TransportError::NotTheApi { status, .. }) => {
                reason_of_status(status.as_u16())
            }
            Self::Transport(_) => None,
            Self::Refused(status)
                if status.is_webhook_not_ready() || status.is_authorizer_not_ready() =>
            {
                Some(RetryReason::NotReady)
            }
            Self::Refused(status) => reason_of_status(status.code),
        }
    }

    /// Returns how long the answer asks to wait.
    pub(super) fn requested_wait(&self) -> Option<Duration> {
        match self {
            Self::Transport(TransportError::NotTheApi { wait, .. }) => *wait,
            Self::Transport(_) => None,
            Self::Refused(status) => ApiStatus::requested_wait(status),
        }
    }
}

fn reason_of_status(code: u16) -> Option<RetryReason> {
    match code {
        429 => Some(RetryReason::Limited),
        code if code >= 500 => Some(RetryReason::ServerFailure),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::json;

    use super::super::transport_error::ConnectFailure;
    use super::*;

    fn status(code: u16, message: &str) -> CallFailure {
        let status = json!({"kind": "Status", "apiVersion": "v1", "message": message});
        let code = StatusCode::from_u16(code).unwrap();
        ApiStatus::parse(code, status.to_string().as_bytes(), false)
            .unwrap()
            .into()
    }

    #[test]
    fn a_failure_is_repeated_for_the_reason_that_it_has() {
        let webhook =
            "Internal error occurred: failed calling webhook \"a\": no endpoints available";
        let roles = "namespaces is forbidden: User \"a\" cannot list: RBAC: [clusterrole.rbac.authorization.k8s.io \"cluster-admin\" not found]";
        let reason = ConnectFailure::Refused;
        for (failure, expected) in [
            (
                TransportError::Unreachable { reason }.into(),
                RetryReason::Unreachable,
            ),
            (
                TransportError::Interrupted { timed_out: true }.into(),
                RetryReason::Interrupted,
            ),
            (status(429, "slow down"), RetryReason::Limited),
            (status(503, "unavailable"), RetryReason::ServerFailure),
            (status(500, "etcd"), RetryReason::ServerFailure),
            (status(500, webhook), RetryReason::NotReady),
            (status(403, roles), RetryReason::NotReady),
        ] {
            assert_eq!(failure.retry_reason(), Some(expected), "{failure:?}");
        }
    }

    #[test]
    fn a_refused_call_is_final() {
        for code in [400, 401, 403, 404, 409, 422] {
            assert_eq!(status(code, "no").retry_reason(), None, "{code}");
        }
    }
}

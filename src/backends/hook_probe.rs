//! Asks whether the receiver of a hook serves, as GitLab would call it.
//!
//! The body of the call is empty, which Argo Events refuses after it has checked the token, so nothing starts. It knows
//! three answers (Argo Events `pkg/eventsources/sources/gitlab/start.go`, `pkg/eventsources/common/webhook`).

use std::time::Duration;

use http::StatusCode;
use reqwest::{Certificate, Client, redirect};

use crate::secret::{ExposeSecret as _, Secret};

/// How long one answer may take; GitLab waits 10 s.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What came of a call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ProbeAnswer {
    /// It serves, and knows this token.
    Serves,
    /// It serves, and knows another token.
    OtherToken,
    /// Something answers that is not it, or not yet.
    NotYet(String),
    /// Nothing answers to this machine, for this reason.
    Unreachable(String),
}

/// A client for such calls.
pub(crate) struct HookProbe {
    client: Client,
}

impl HookProbe {
    /// Sets up a client; nothing is sent. `ca_pem` are certificates of authorities that are trusted besides the
    /// system's.
    pub(crate) fn new(verifies: bool, ca_pem: Option<&str>) -> reqwest::Result<Self> {
        let mut client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .tls_danger_accept_invalid_certs(!verifies);
        if let Some(pem) = ca_pem {
            for certificate in Certificate::from_pem_bundle(pem.as_bytes())? {
                client = client.add_root_certificate(certificate);
            }
        }
        Ok(Self {
            client: client.build()?,
        })
    }

    /// Calls an address with a token.
    pub(crate) async fn ask(&self, url: &str, token: &Secret) -> ProbeAnswer {
        let call = self
            .client
            .post(url)
            .header("X-Gitlab-Token", token.expose_secret())
            .header("X-Gitlab-Event", "Push Hook");
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) => return ProbeAnswer::Unreachable(reason(&error)),
        };
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        if status == StatusCode::BAD_REQUEST && text.contains("invalid event") {
            ProbeAnswer::Serves
        } else if status == StatusCode::BAD_REQUEST && text.contains("token mismatch") {
            ProbeAnswer::OtherToken
        } else {
            ProbeAnswer::NotYet(format!("it answers with {status}"))
        }
    }
}

/// Returns the innermost cause, which says most.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

//! What the user is told about rate limits that slowed a run down.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use terraform_plugin::diagnostics::Diagnostic;

/// Shorter delays are not worth a warning.
const NOTICEABLE: Duration = Duration::from_secs(1);

/// How many times as long the delay must have become to be told again.
const GROWTH: u32 = 4;

/// What an administrator of GitLab can do.
pub(super) const GITLAB_REMEDY: &str = "On a GitLab of your own, an administrator can raise the limits under Admin area > Settings > Network.";

/// What an administrator of Vault can do.
pub(super) const VAULT_REMEDY: &str = "An administrator of the Vault can raise its rate limit quotas (vault list sys/quotas/rate-limit).";

/// The delay that the user has been told about.
#[derive(Debug)]
pub(super) struct Throttling {
    server: &'static str,
    remedy: &'static str,
    told: Mutex<Duration>,
}

impl Throttling {
    /// Nothing has been told about a server yet; `remedy` is a sentence that says what its administrator can do.
    pub(super) fn new(server: &'static str, remedy: &'static str) -> Self {
        Self {
            server,
            remedy,
            told: Mutex::default(),
        }
    }

    /// Returns a warning, if calls have been held back for long enough, and for much longer than the last warning says.
    pub(super) fn report(&self, held_for: Duration) -> Option<Diagnostic> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if held_for < NOTICEABLE || held_for < *told * GROWTH {
            return None;
        }
        *told = held_for;
        let Self { server, remedy, .. } = self;
        let delay = humantime::format_duration(Duration::from_secs(held_for.as_secs()));
        let summary = format!("Rate limits of {server} delayed the run by {delay}");
        let detail = format!(
            "Calls were held back until {server} took more of them. With TF_LOG_PROVIDER=WARN the log names each limit and each wait. {remedy}"
        );
        Some(Diagnostic::warning(summary, detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_told_once_unless_it_becomes_much_longer() {
        let throttling = Throttling::new("GitLab", GITLAB_REMEDY);
        let summary = |seconds: u64| {
            let report = throttling.report(Duration::from_secs(seconds));
            report.map(|warning| warning.summary)
        };
        let delayed =
            |delay: &str| Some(format!("Rate limits of GitLab delayed the run by {delay}"));
        assert_eq!(summary(0), None);
        assert_eq!(summary(5), delayed("5s"));
        assert_eq!(summary(5), None);
        assert_eq!(summary(19), None);
        assert_eq!(summary(75), delayed("1m 15s"));
        assert_eq!(summary(80), None);
    }
}

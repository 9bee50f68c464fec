//! Creations whose answer is lost.
//!
//! GitLab knows no keys of idempotency, so a creation is not simply sent again. But what it makes
//! can be looked up by what only one thing can have: a path, a key. If it is not there, it is safe
//! to repeat the creation: should the first one be finished after all, GitLab refuses the second.

use std::time::Duration;

use gitlab::api::Endpoint;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use super::GitLab;
use super::error::Error;
use super::retry::Retry;

impl GitLab {
    /// Creates something that can be looked up.
    ///
    /// When it is not known whether a creation took effect, it is sent again if nothing is there.
    /// If something is, the error of the creation is returned: whose it is, is for the caller to
    /// find out. `is_there` tells whether there is something, no matter whose.
    pub(super) async fn create<E, T, F>(
        &self,
        endpoint: &E,
        is_there: impl Fn() -> F,
    ) -> Result<T, Error>
    where
        E: Endpoint + Sync,
        T: DeserializeOwned + 'static,
        F: Future<Output = Result<bool, Error>>,
    {
        let mut retry = Retry::of_what_can_be_looked_up(self.transport.limits());
        let begun = Instant::now();
        loop {
            let error = match self.query(endpoint).await {
                Err(error) if error.may_have_happened() => error,
                outcome => return outcome,
            };
            let spent = begun.elapsed();
            let Some(wait) = retry.after(error.kind(), spent, Duration::ZERO) else {
                return Err(error);
            };
            tracing::debug!(%error, ?wait, "it is looked up whether it was created");
            sleep(wait).await;
            match is_there().await {
                Ok(false) => {}
                // Not knowing is as good a reason not to repeat it.
                Ok(true) | Err(_) => return Err(error),
            }
        }
    }
}

/// Whether what was looked up is there.
pub(super) fn found<T>(looked_up: Result<T, Error>) -> Result<bool, Error> {
    match looked_up {
        Ok(_) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

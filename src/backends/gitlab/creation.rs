//! Creations that lose their answer.
//!
//! GitLab has no idempotency keys, so a creation is not simply sent again. But what it makes can be
//! looked up by something unique, such as its path. If it is not there, repeating the creation is safe:
//! should the first one be finished after all, GitLab refuses the second.

use gitlab::api::Endpoint;
use serde::de::DeserializeOwned;
use tokio::time::sleep;

use super::GitLab;
use super::error::Error;
use crate::backends::http::pause_after;

impl GitLab {
    /// Creates something that can be looked up.
    ///
    /// When it is unknown whether a creation took effect, it is sent again if nothing is there. If
    /// something is, this returns the error of the creation, and the caller finds out who made it.
    /// `exists` looks up whether something is there.
    pub(super) async fn create<T, F>(
        &self,
        endpoint: &impl Endpoint,
        exists: impl Fn() -> F,
    ) -> Result<T, Error>
    where
        T: DeserializeOwned,
        F: Future<Output = Result<bool, Error>>,
    {
        let mut retries = self.http.retries(true);
        loop {
            let error = match self.query(endpoint).await {
                Err(error) if error.may_have_happened() => error,
                outcome => return outcome,
            };
            let Some(wait) = pause_after(&mut retries, error.kind()) else {
                return Err(error);
            };
            tracing::warn!(%error, ?wait, "a creation is looked up before it is sent again");
            sleep(wait).await;
            match exists().await {
                Ok(false) => {}
                // Not knowing is as good a reason not to repeat it.
                Ok(true) | Err(_) => return Err(error),
            }
        }
    }
}

/// Returns whether a look-up found something.
pub(super) fn found<T>(looked_up: Result<T, Error>) -> Result<bool, Error> {
    match looked_up {
        Ok(_) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

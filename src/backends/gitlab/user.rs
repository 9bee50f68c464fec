//! The owner of the token.

use gitlab::api::users::CurrentUser as GetCurrentUser;
use serde::Deserialize;

use super::GitLab;
use super::error::Error;

/// The owner of the token; for tokens of projects and groups that is a bot.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct CurrentUser {
    /// The user's number.
    pub id: u64,
    /// The user's login name.
    pub username: String,
}

impl GitLab {
    /// Gets the owner of the token.
    pub async fn current_user(&self) -> Result<CurrentUser, Error> {
        self.query(&self.endpoint(GetCurrentUser::builder().build())?)
            .await
    }
}

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
    /// The user's page, which starts with the address under which this GitLab knows itself.
    #[serde(default)]
    pub web_url: Option<String>,
}

impl CurrentUser {
    /// Returns whether a page is one of this GitLab. Its API may be reached by another address.
    pub fn is_beside(&self, web_url: &str) -> bool {
        let own = self.web_url.as_deref();
        let address = own.and_then(|own| own.strip_suffix(&self.username));
        address.is_some_and(|address| !address.is_empty() && web_url.starts_with(address))
    }
}

impl GitLab {
    /// Gets the owner of the token.
    pub async fn current_user(&self) -> Result<CurrentUser, Error> {
        self.query(&self.endpoint(GetCurrentUser::builder().build())?)
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_belongs_to_a_gitlab_by_its_address() {
        let user = |web_url: Option<&str>| CurrentUser {
            id: 1,
            username: "root".to_owned(),
            web_url: web_url.map(str::to_owned),
        };
        let below = user(Some("https://example.com/gitlab/root"));
        assert!(below.is_beside("https://example.com/gitlab/shop/a"));
        assert!(below.is_beside("https://example.com/gitlab/groups/shop"));
        assert!(!below.is_beside("https://example.com/shop/a"));
        let at_root = user(Some("https://gitlab.example.com/root"));
        assert!(!at_root.is_beside("https://gitlab.example.com.org/shop/a"));
        assert!(!at_root.is_beside("http://gitlab.example.com/shop/a"));
        for unknown in [None, Some("root"), Some("https://gitlab.example.com/admin")] {
            assert!(!user(unknown).is_beside("https://gitlab.example.com/shop/a"));
        }
    }
}

//! Where a GitLab is: its root, with or without `/api/v4`, under a relative root or not.

use url::Url;

use crate::backends::api_root::{AddressError, api_root};

/// The root of a GitLab, from which the addresses of its API are made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Address {
    api: Url,
}

impl Address {
    /// Reads `https://host[:port][/relative/root][/api/v4][/]`.
    pub(super) fn parse(given: &str) -> Result<Self, AddressError> {
        let mut api = api_root(given, "/api/v4")?;
        // Endpoints are joined to it.
        api.set_path(&format!("{}/", api.path()));
        Ok(Self { api })
    }

    /// The URL of an endpoint, which is relative and percent-encoded: `projects/a%2Fb`.
    pub(super) fn endpoint(&self, endpoint: &str) -> Result<Url, url::ParseError> {
        self.api.join(endpoint)
    }

    /// The root of the API.
    pub(super) fn root(&self) -> &Url {
        &self.api
    }

    /// Whether a URL leads to this very GitLab, so that the token may be sent to it.
    pub(super) fn covers(&self, url: &Url) -> bool {
        url.origin() == self.api.origin() && url.path().starts_with(self.api.path())
    }

    /// The part of a URL's path behind `/api/v4/`, with every identifier replaced by `:id`:
    /// the name of a route.
    pub(super) fn route(&self, url: &Url) -> String {
        let path = url
            .path()
            .strip_prefix(self.api.path())
            .unwrap_or(url.path());
        let segments = path.split('/').enumerate().map(|(index, segment)| {
            let identifies = index == 1
                || segment.contains('%')
                || segment.chars().all(|c| c.is_ascii_hexdigit());
            if identifies { ":id" } else { segment }
        });
        segments.collect::<Vec<_>>().join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_found_from_every_spelling_of_the_root() {
        for (given, expected) in [
            (
                "https://gitlab.example.com",
                "https://gitlab.example.com/api/v4/projects/a%2Fb",
            ),
            (
                "https://gitlab.example.com/",
                "https://gitlab.example.com/api/v4/projects/a%2Fb",
            ),
            (
                "https://gitlab.example.com/api/v4",
                "https://gitlab.example.com/api/v4/projects/a%2Fb",
            ),
            (
                "https://example.com/git/api/v4/",
                "https://example.com/git/api/v4/projects/a%2Fb",
            ),
            (
                "http://127.0.0.1:8080/git",
                "http://127.0.0.1:8080/git/api/v4/projects/a%2Fb",
            ),
        ] {
            let url = Address::parse(given)
                .unwrap()
                .endpoint("projects/a%2Fb")
                .unwrap();
            assert_eq!(url.as_str(), expected);
        }
    }

    #[test]
    fn what_cannot_be_a_gitlab_is_refused() {
        for given in ["gitlab.example.com", "ftp://gitlab.example.com", "https://"] {
            assert!(Address::parse(given).is_err(), "{given}");
        }
        assert!(matches!(
            Address::parse("https://user:word@gitlab.example.com"),
            Err(AddressError::Surplus)
        ));
    }

    #[test]
    fn only_urls_below_the_api_of_the_same_origin_are_covered() {
        let address = Address::parse("https://gitlab.example.com/git").unwrap();
        let covers = |url: &str| address.covers(&Url::parse(url).unwrap());
        assert!(covers("https://gitlab.example.com/git/api/v4/projects/7"));
        assert!(!covers("https://gitlab.example.com/git/users/sign_in"));
        assert!(!covers("http://gitlab.example.com/git/api/v4/projects/7"));
        assert!(!covers(
            "https://elsewhere.example.com/git/api/v4/projects/7"
        ));
    }

    #[test]
    fn a_route_has_no_identifiers() {
        let address = Address::parse("https://gitlab.example.com").unwrap();
        let route = |path: &str| address.route(&address.endpoint(path).unwrap());
        assert_eq!(
            route("projects/7/repository/archive.tar.gz"),
            "projects/:id/repository/archive.tar.gz"
        );
        assert_eq!(route("projects/a%2Fb/hooks/31"), "projects/:id/hooks/:id");
        assert_eq!(route("groups"), "groups");
    }
}

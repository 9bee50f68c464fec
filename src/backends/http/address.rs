//! Where the API of a server is, given its root with or without the API's own path.

use url::Url;

/// A URL that cannot be the address of a server.
///
/// It never quotes the URL: a token may stand in any part of it, or in place of it.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It is not a URL.
    #[error("it is not a URL such as https://host.example.com")]
    Syntax(#[source] url::ParseError),
    /// It is a URL of something else.
    #[error("it must start with https:// or http:// and name a host")]
    Scheme,
    /// It holds more than scheme, host, port and path.
    #[error("it must have no user name, password, query or fragment")]
    Surplus,
}

/// Checks that a text can be the address of a server.
pub(crate) fn check_address(text: &str) -> Result<(), AddressError> {
    ApiRoot::parse(text, "").map(drop)
}

/// The root of a server's API, below which all its endpoints are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::backends) struct ApiRoot {
    /// Ends with a slash.
    url: Url,
}

impl ApiRoot {
    /// Parses `https://host[:port][/relative/root][<api_path>][/]`; `api_path` is the API's own, such
    /// as `/api/v4`.
    pub(in crate::backends) fn parse(text: &str, api_path: &str) -> Result<Self, AddressError> {
        let mut url = Url::parse(text.trim()).map_err(|error| match error {
            url::ParseError::RelativeUrlWithoutBase => AddressError::Scheme,
            error => AddressError::Syntax(error),
        })?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(AddressError::Scheme);
        }
        let surplus = !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some();
        if surplus {
            return Err(AddressError::Surplus);
        }
        let root = url.path().trim_end_matches('/');
        let root = root.strip_suffix(api_path).unwrap_or(root);
        url.set_path(&format!("{root}{api_path}/"));
        Ok(Self { url })
    }

    pub(in crate::backends) fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the URL of an endpoint that is percent-encoded already: `projects/a%2Fb`.
    pub(in crate::backends) fn join(&self, endpoint: &str) -> Result<Url, url::ParseError> {
        self.url.join(endpoint)
    }

    /// Returns the URL of a path whose segments may hold any characters: `git/data/a b`.
    pub(in crate::backends) fn join_segments(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        url
    }

    /// Returns the path of a URL below the root; `None` if it leads elsewhere, where no token may be
    /// sent.
    pub(in crate::backends) fn path_of<'u>(&self, url: &'u Url) -> Option<&'u str> {
        (url.origin() == self.url.origin())
            .then(|| url.path().strip_prefix(self.url.path()))
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gitlab(root: &str) -> ApiRoot {
        ApiRoot::parse(root, "/api/v4").unwrap()
    }

    #[test]
    fn the_api_is_found_from_every_spelling_of_the_root() {
        for (root, expected) in [
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
            let url = gitlab(root).join("projects/a%2Fb").unwrap();
            assert_eq!(url.as_str(), expected);
        }
    }

    #[test]
    fn a_segment_stays_one_whatever_it_holds() {
        for (root, expected) in [
            ("https://vault:8200", "https://vault:8200/v1/git/data/a"),
            ("https://vault:8200/v1/", "https://vault:8200/v1/git/data/a"),
            ("http://host/vault/", "http://host/vault/v1/git/data/a"),
        ] {
            let root = ApiRoot::parse(root, "/v1").unwrap();
            assert_eq!(root.join_segments("git/data/a").as_str(), expected);
        }
        let root = ApiRoot::parse("https://vault", "/v1").unwrap();
        assert_eq!(
            root.join_segments("auth/acme inc?/role/ARGO").as_str(),
            "https://vault/v1/auth/acme%20inc%3F/role/ARGO"
        );
    }

    #[test]
    fn a_url_that_is_no_address_is_refused_without_being_quoted() {
        for text in [
            "ftp://me:s3cr3t@vault",
            "https://me:s3cr3t@vault",
            "me:s3cr3t@gitlab.example.com",
            "s3cr3t@gitlab.example.com",
            "gitlab.example.com?private_token=s3cr3t",
            "https://gitlab.example.com?private_token=s3cr3t",
            "glpat-s3cr3t",
            "https://",
            "https://s3cr3t@",
            "vault:8200",
            "not a url",
        ] {
            let error = ApiRoot::parse(text, "/v1").unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("s3cr3t"), "{shown}");
        }
        assert!(matches!(
            ApiRoot::parse("gitlab.example.com", "/api/v4"),
            Err(AddressError::Scheme)
        ));
        assert!(matches!(
            ApiRoot::parse("https://user:word@gitlab.example.com", "/api/v4"),
            Err(AddressError::Surplus)
        ));
    }

    #[test]
    fn only_urls_below_the_api_of_the_same_origin_have_a_path_of_it() {
        let root = gitlab("https://gitlab.example.com/git");
        let path = |url: &str| root.path_of(&Url::parse(url).unwrap()).map(str::to_owned);
        assert_eq!(
            path("https://gitlab.example.com/git/api/v4/projects/7").as_deref(),
            Some("projects/7")
        );
        for elsewhere in [
            "https://gitlab.example.com/git/users/sign_in",
            "http://gitlab.example.com/git/api/v4/projects/7",
            "https://elsewhere.example.com/git/api/v4/projects/7",
        ] {
            assert_eq!(path(elsewhere), None);
        }
    }
}

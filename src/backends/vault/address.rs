//! Where a Vault is: its root, with or without `/v1`, under a relative root or not.

use url::Url;

/// The root of a Vault, from which the addresses of its API are made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Address {
    api: Url,
}

/// A URL that cannot be the address of a Vault.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It is no URL.
    #[error("{url:?} is not a URL")]
    Syntax {
        /// What was given.
        url: String,
        /// Why it cannot be read.
        source: url::ParseError,
    },
    /// It is a URL of something else.
    #[error("{url:?} must start with https:// or http:// and name a host")]
    Scheme {
        /// What was given.
        url: String,
    },
    /// It holds a user name, a query or a fragment.
    #[error("the URL must have no user name, password, query or fragment")]
    Surplus,
}

/// Leaves out what stands before an `@`: somebody may have put a token there.
fn without_login(given: &str) -> String {
    match given.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => given.to_owned(),
    }
}

impl Address {
    /// Reads `https://host[:port][/relative/root][/v1][/]`.
    pub(super) fn parse(given: &str) -> Result<Self, AddressError> {
        let mut api = Url::parse(given.trim()).map_err(|source| AddressError::Syntax {
            url: without_login(given),
            source,
        })?;
        if !matches!(api.scheme(), "http" | "https") || api.host_str().is_none() {
            return Err(AddressError::Scheme {
                url: without_login(given),
            });
        }
        let surplus = !api.username().is_empty()
            || api.password().is_some()
            || api.query().is_some()
            || api.fragment().is_some();
        if surplus {
            return Err(AddressError::Surplus);
        }
        let root = api.path().trim_end_matches('/');
        let root = root.strip_suffix("/v1").unwrap_or(root);
        api.set_path(&format!("{root}/v1"));
        Ok(Self { api })
    }

    /// The URL of an API path, whose segments may hold any characters: `git/data/a`.
    pub(super) fn endpoint(&self, path: &str) -> Url {
        let mut url = self.api.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path.split('/'));
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_found_from_every_spelling_of_the_root() {
        for (given, expected) in [
            ("https://vault:8200", "https://vault:8200/v1/git/data/a"),
            ("https://vault:8200/v1/", "https://vault:8200/v1/git/data/a"),
            ("http://host/vault/", "http://host/vault/v1/git/data/a"),
        ] {
            let address = Address::parse(given).unwrap();
            assert_eq!(address.endpoint("git/data/a").as_str(), expected);
        }
    }

    #[test]
    fn a_segment_stays_one_whatever_it_holds() {
        let address = Address::parse("https://vault").unwrap();
        assert_eq!(
            address.endpoint("auth/acme inc?/role/ARGO").as_str(),
            "https://vault/v1/auth/acme%20inc%3F/role/ARGO"
        );
    }

    #[test]
    fn what_is_no_address_is_refused_without_showing_a_password() {
        for given in ["vault:8200", "ftp://vault", "not a url"] {
            assert!(Address::parse(given).is_err(), "{given}");
        }
        let error = Address::parse("ftp://me:s3cr3t@vault").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cr3t"));
        let error = Address::parse("https://me:s3cr3t@vault").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cr3t"));
    }
}

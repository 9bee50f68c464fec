//! Where a Vault is: its root, with or without `/v1`, under a relative root or not.

use url::Url;

use crate::backends::api_root::{AddressError, api_root};

/// The root of a Vault, from which the addresses of its API are made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Address {
    api: Url,
}

impl Address {
    /// Reads `https://host[:port][/relative/root][/v1][/]`.
    pub(super) fn parse(given: &str) -> Result<Self, AddressError> {
        let api = api_root(given, "/v1")?;
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

//! Ids of products and code repositories: the ids of their GitLab group and project.
//!
//! The text form is also the name in Kubernetes; the prefixes are those of Nautes
//! (`app/api-server/internal/biz/common.go`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The text is not an id of the expected type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form `{prefix}<number>`")]
pub struct IdError {
    /// The text.
    pub text: String,
    /// The prefix of ids of this type.
    pub prefix: &'static str,
}

macro_rules! numbered_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(u64);

        impl $name {
            /// The prefix of the text form.
            pub const PREFIX: &'static str = $prefix;

            /// Makes an id from GitLab's number.
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// Returns GitLab's number.
            pub const fn number(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}{}", Self::PREFIX, self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix(Self::PREFIX)
                    .and_then(canonical_number)
                    .map(Self)
                    .ok_or_else(|| IdError { text: text.to_owned(), prefix: Self::PREFIX })
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

numbered_id! {
    /// The id of a product, from the id of its GitLab group: `product-41`.
    ///
    /// It is also the name of the product's namespace.
    ProductId, "product-"
}

numbered_id! {
    /// The id of a code repository, from the id of its GitLab project: `repo-128`.
    RepositoryId, "repo-"
}

impl RepositoryId {
    /// Stands for a repository whose GitLab project does not exist yet; GitLab counts from 1. Such
    /// a repository can be validated, but has no manifest.
    pub const UNASSIGNED: Self = Self(0);
}

/// Parses a number in the form that [`fmt::Display`] writes: without sign or leading zeros.
fn canonical_number(digits: &str) -> Option<u64> {
    let number: u64 = digits.parse().ok()?;
    (number.to_string() == digits).then_some(number)
}

/// Returns whether a text has the form of an id, and so cannot be a name.
pub(crate) fn looks_like_id(text: &str) -> bool {
    [ProductId::PREFIX, RepositoryId::PREFIX]
        .iter()
        .filter_map(|prefix| text.strip_prefix(prefix))
        .any(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_through_text() {
        let product = ProductId::new(41);
        assert_eq!(product.to_string(), "product-41");
        assert_eq!("product-41".parse(), Ok(product));
        assert_eq!("repo-128".parse(), Ok(RepositoryId::new(128)));
    }

    #[test]
    fn an_id_has_one_spelling() {
        for text in [
            "product-041",
            "product-+41",
            "product-",
            "product-4a",
            "repo-41",
            "41",
        ] {
            assert!(text.parse::<ProductId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_prefix_with_a_number_looks_like_an_id() {
        assert!(looks_like_id("repo-12"));
        assert!(looks_like_id("product-012"));
        assert!(!looks_like_id("repo-12a"));
        assert!(!looks_like_id("repo-"));
        assert!(!looks_like_id("my-repo-12"));
    }
}

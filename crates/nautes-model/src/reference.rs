//! References as users write them: an id or a name.
//!
//! A reference keeps the form in which it was written, and [`std::fmt::Display`] returns it.

use std::fmt;
use std::str::FromStr;

use crate::entity_name::{EntityName, EntityNameError};
use crate::id::{IdError, ProductId, RepositoryId};

/// The text is not a valid reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The text is empty.
    #[error("the reference is empty")]
    Empty,
    /// The name is not valid.
    #[error("the reference is not a valid name")]
    Name(#[from] EntityNameError),
    /// The part before the slash is not the id of a product.
    #[error("the part before the slash is not the id of a product")]
    Product(#[from] IdError),
    /// The id belongs to another kind of object.
    #[error("`{text}` is the id of {found}, not of {expected}")]
    OtherKind {
        /// The reference.
        text: String,
        /// The kind that the id belongs to.
        found: &'static str,
        /// The expected kind.
        expected: &'static str,
    },
    /// The id belongs to an entity of another product.
    #[error("`{text}` belongs to `{found}`, not to `{expected}`")]
    OtherProduct {
        /// The reference.
        text: String,
        /// The product in the reference.
        found: ProductId,
        /// The product of the referring entity.
        expected: ProductId,
    },
}

/// A reference to a product: `product-12` or `shop`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductReference {
    /// By id.
    Id(ProductId),
    /// By name, the path of the group.
    Name(String),
}

impl FromStr for ProductReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.parse::<RepositoryId>().is_ok() {
            return Err(other_kind(text, "a code repository", "a product"));
        }
        Ok(text
            .parse()
            .map_or_else(|_| Self::Name(text.to_owned()), Self::Id))
    }
}

impl fmt::Display for ProductReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(formatter),
            Self::Name(name) => name.fmt(formatter),
        }
    }
}

/// A reference to a code repository of the same product: `repo-12` or `svc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeRepoReference {
    /// By id.
    Id(RepositoryId),
    /// By name, the path of the GitLab project in its group.
    Name(String),
}

impl FromStr for CodeRepoReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.parse::<ProductId>().is_ok() {
            return Err(other_kind(text, "a product", "a code repository"));
        }
        Ok(text
            .parse()
            .map_or_else(|_| Self::Name(text.to_owned()), Self::Id))
    }
}

impl fmt::Display for CodeRepoReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(formatter),
            Self::Name(name) => name.fmt(formatter),
        }
    }
}

/// The id of an entity that is named within its product: `product-12/dev`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId {
    /// The product.
    pub product: ProductId,
    /// The name.
    pub name: EntityName,
}

impl FromStr for EntityId {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let (product, name) = text.split_once('/').unwrap_or((text, ""));
        Ok(Self {
            product: product.parse()?,
            name: name.parse()?,
        })
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.product, self.name)
    }
}

/// A reference to a named entity of the same product: `product-12/dev` or `dev`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntityReference {
    /// By id.
    Id(EntityId),
    /// By name.
    Name(EntityName),
}

impl EntityReference {
    /// Returns the name of the entity in a product.
    ///
    /// Fails if the reference is an id with another product.
    pub fn name_in(&self, product: ProductId) -> Result<&EntityName, ReferenceError> {
        match self {
            Self::Id(id) if id.product != product => Err(ReferenceError::OtherProduct {
                text: id.to_string(),
                found: id.product,
                expected: product,
            }),
            Self::Id(EntityId { name, .. }) | Self::Name(name) => Ok(name),
        }
    }
}

impl FromStr for EntityReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.contains('/') {
            return text.parse().map(Self::Id);
        }
        if text.parse::<ProductId>().is_ok() {
            return Err(other_kind(text, "a product", "an entity of it"));
        }
        if text.parse::<RepositoryId>().is_ok() {
            return Err(other_kind(text, "a code repository", "another kind"));
        }
        Ok(Self::Name(text.parse()?))
    }
}

impl fmt::Display for EntityReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(formatter),
            Self::Name(name) => name.fmt(formatter),
        }
    }
}

/// The argument of `terraform import` for an entity of a product: `shop/checkout` or
/// `product-12/checkout`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportPath {
    /// The product.
    pub product: ProductReference,
    /// The name: an [`EntityName`], or the path of a code repository.
    pub name: String,
}

impl FromStr for ImportPath {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        match text.split_once('/') {
            Some((product, name)) if !name.is_empty() => Ok(Self {
                product: product.parse()?,
                name: name.to_owned(),
            }),
            _ => Err(ReferenceError::Empty),
        }
    }
}

impl fmt::Display for ImportPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.product, self.name)
    }
}

fn other_kind(text: &str, found: &'static str, expected: &'static str) -> ReferenceError {
    ReferenceError::OtherKind {
        text: text.to_owned(),
        found,
        expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_round_trip_through_text() {
        for text in ["product-12", "shop", "product-x"] {
            assert_eq!(text.parse::<ProductReference>().unwrap().to_string(), text);
        }
        for text in ["repo-12", "svc", "Svc.api", "repo-012"] {
            assert_eq!(text.parse::<CodeRepoReference>().unwrap().to_string(), text);
        }
        for text in ["product-12/dev", "dev"] {
            assert_eq!(text.parse::<EntityReference>().unwrap().to_string(), text);
        }
        for text in ["shop/checkout", "product-12/checkout"] {
            assert_eq!(text.parse::<ImportPath>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_id_of_another_product_is_rejected() {
        let reference: EntityReference = "product-12/dev".parse().unwrap();
        assert!(reference.name_in(ProductId::new(12)).is_ok());
        assert_eq!(
            reference
                .name_in(ProductId::new(13))
                .unwrap_err()
                .to_string(),
            "`product-12/dev` belongs to `product-12`, not to `product-13`"
        );
    }

    #[test]
    fn an_id_of_another_kind_is_rejected() {
        assert!("repo-12".parse::<ProductReference>().is_err());
        assert!("product-12".parse::<CodeRepoReference>().is_err());
        assert!("product-12".parse::<EntityReference>().is_err());
        assert!("repo-12".parse::<EntityReference>().is_err());
    }

    #[test]
    fn text_that_is_neither_id_nor_name_is_rejected() {
        for text in ["", "shop/dev", "product-12/", "product-12/a/b", "Dev"] {
            assert!(text.parse::<EntityReference>().is_err(), "{text}");
        }
        for text in ["", "shop", "shop/", "/a"] {
            assert!(text.parse::<ImportPath>().is_err(), "{text}");
        }
    }
}

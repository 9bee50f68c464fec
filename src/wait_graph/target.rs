//! What requests write, and what others wait for.

use std::fmt;

use nautes_model::layout::Repository;
use nautes_model::validation::{EntityPattern, ManifestPattern};
use nautes_model::{EntityKey, ProductId};

/// Something that a request writes and others may wait for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// The manifest of an entity in a configuration repository.
    Manifest(Repository, EntityKey),
    /// The path of a product's group, by its name: taken by a creation or a rename, given up by a
    /// rename or a deletion.
    ProductPath(String),
    /// The path of a code repository's project in its product, by its name.
    CodeRepoPath(ProductId, String),
}

/// What a request waits for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Awaited {
    /// One target.
    Target(Target),
    /// Any manifest that a pattern matches.
    Manifests(ManifestPattern),
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest(_, key) => write!(formatter, "the {key}"),
            Self::ProductPath(name) => write!(formatter, "the product `{name}`"),
            Self::CodeRepoPath(product, name) => {
                write!(formatter, "the code repository `{name}` of {product}")
            }
        }
    }
}

impl fmt::Display for Awaited {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(target) => target.fmt(formatter),
            Self::Manifests(pattern) => match &pattern.entities {
                EntityPattern::Entity(key) => write!(formatter, "the {key}"),
                EntityPattern::Kind(kind) => write!(formatter, "a {kind}"),
            },
        }
    }
}

impl Awaited {
    pub(super) fn covers(&self, target: &Target) -> bool {
        match (self, target) {
            (Self::Target(awaited), target) => awaited == target,
            (Self::Manifests(pattern), Target::Manifest(repository, key)) => {
                pattern.matches(*repository, key)
            }
            (Self::Manifests(_), Target::ProductPath(_) | Target::CodeRepoPath(..)) => false,
        }
    }
}

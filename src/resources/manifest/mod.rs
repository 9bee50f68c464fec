//! The life of an entity that is a manifest and nothing else.

mod kind;
mod place;
mod resource;

pub(crate) use kind::{ManifestKind, entity_name};
pub(crate) use resource::ManifestResource;

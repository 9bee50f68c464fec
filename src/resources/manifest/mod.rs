//! The life of an entity that is a manifest and nothing else.

mod data_source;
mod kind;
pub(crate) mod listing;
pub(crate) mod place;
mod referring;
mod resource;

pub(crate) use data_source::ManifestDataSource;
pub(crate) use kind::{ManifestKind, entity_name};
pub(crate) use referring::Referring;
pub(crate) use resource::{ManifestResource, reasons, warn_of_referrers};

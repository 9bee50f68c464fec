//! Resources and data sources of the kinds that are a manifest in their product's configuration
//! repository.

mod data_source;
mod kind;
mod list;
mod resource;

pub(crate) use data_source::{ManifestDataSource, entity_to_look_up, missing_entity};
pub(crate) use kind::ManifestKind;
pub(crate) use list::{EntityList, ListArguments, ListDataSource, Listed};
pub(crate) use resource::{EntityIdentity, ManifestResource};

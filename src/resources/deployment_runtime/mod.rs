//! `nautes_deployment_runtime`: keeps manifests deployed in an environment.

mod data_source;
mod delete;
mod deployment;
mod list;
mod manifest;
mod model;
mod plan;
mod read;
mod resource;
mod save;

pub(crate) use self::data_source::DeploymentRuntimeDataSource;
pub(crate) use self::list::DeploymentRuntimeList;
#[cfg(test)]
pub(crate) use self::model::{DeploymentRuntimeModel, DestinationModel, ManifestSourceModel};
pub(crate) use self::resource::DeploymentRuntimeResource;

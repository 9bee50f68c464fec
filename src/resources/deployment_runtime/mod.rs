//! `nautes_deployment_runtime`: keeps manifests deployed in an environment.

mod delete;
mod deployment;
mod manifest;
mod model;
mod plan;
mod read;
mod resource;
mod save;

pub(crate) use self::resource::DeploymentRuntimeResource;

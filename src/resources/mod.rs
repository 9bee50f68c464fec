//! What Terraform sees: one folder a kind of resource.

mod attribute;
mod environment;
mod manifest;
mod product;
mod project;
mod refusal;

pub(crate) use product::Products;
use terraform_plugin::provider::Registry;

use crate::provider::Client;

/// Names the resources and data sources.
pub(crate) fn register(registry: &mut Registry<Client>) {
    registry
        .resource(product::ProductResource)
        .resource(manifest::ManifestResource::<environment::EnvironmentKind>::new())
        .resource(manifest::ManifestResource::<project::ProjectKind>::new())
        .data_source(product::ProductDataSource)
        .data_source(product::ProductsDataSource)
        .data_source(manifest::ManifestDataSource::<environment::EnvironmentKind>::new())
        .data_source(environment::EnvironmentsDataSource)
        .data_source(manifest::ManifestDataSource::<project::ProjectKind>::new())
        .data_source(project::ProjectsDataSource);
}

//! What Terraform sees: one folder a kind of resource.

mod attribute;
mod code_repo;
mod code_repo_binding;
mod environment;
mod gitlab_attribute;
mod manifest;
mod product;
mod project;
mod refusal;
mod unfinished;

pub(crate) use code_repo::CodeRepos;
pub(crate) use product::Products;
use terraform_plugin::provider::Registry;

use crate::provider::Client;

/// Names the resources and data sources.
pub(crate) fn register(registry: &mut Registry<Client>) {
    registry
        .resource(product::ProductResource)
        .resource(manifest::ManifestResource::<environment::EnvironmentKind>::new())
        .resource(manifest::ManifestResource::<project::ProjectKind>::new())
        .resource(code_repo::CodeRepoResource)
        .resource(manifest::ManifestResource::<
            code_repo_binding::CodeRepoBindingKind,
        >::new())
        .data_source(product::ProductDataSource)
        .data_source(product::ProductsDataSource)
        .data_source(manifest::ManifestDataSource::<environment::EnvironmentKind>::new())
        .data_source(environment::EnvironmentsDataSource)
        .data_source(manifest::ManifestDataSource::<project::ProjectKind>::new())
        .data_source(project::ProjectsDataSource)
        .data_source(code_repo::CodeRepoDataSource)
        .data_source(code_repo::CodeReposDataSource)
        .data_source(manifest::ManifestDataSource::<
            code_repo_binding::CodeRepoBindingKind,
        >::new())
        .data_source(code_repo_binding::CodeRepoBindingsDataSource);
}

//! The resources and data sources: one folder for each kind.

pub(crate) mod attribute;
mod cluster;
mod code_repo;
mod code_repo_binding;
mod deletion_policy;
mod deployment_runtime;
mod environment;
mod existing;
mod gitlab_attribute;
mod gitlab_object;
mod home;
mod manifest;
mod manifest_drift;
mod pipeline_runtime;
mod planned_reference;
mod product;
mod project;
mod references;
mod replacement;
mod runtime_environment;
mod runtime_manifest;
mod same_object;
#[cfg(test)]
pub(crate) mod tests;
mod unfinished;
mod work;

use terraform_plugin::provider::Registry;

use crate::client::Client;

/// Registers the resources and data sources.
pub(crate) fn register(registry: &mut Registry<Client>) {
    registry
        .resource(product::ProductResource)
        .resource(manifest::ManifestResource::<environment::EnvironmentKind>::new())
        .resource(manifest::ManifestResource::<project::ProjectKind>::new())
        .resource(code_repo::CodeRepoResource)
        .resource(cluster::ClusterResource)
        .resource(pipeline_runtime::PipelineRuntimeResource)
        .resource(deployment_runtime::DeploymentRuntimeResource)
        .resource(manifest::ManifestResource::<
            code_repo_binding::CodeRepoBindingKind,
        >::new())
        .data_source(product::ProductDataSource)
        .data_source(product::ProductsDataSource)
        .data_source(manifest::ManifestDataSource::<environment::EnvironmentKind>::new())
        .data_source(manifest::ListDataSource::<environment::EnvironmentList>::new())
        .data_source(manifest::ManifestDataSource::<project::ProjectKind>::new())
        .data_source(manifest::ListDataSource::<project::ProjectList>::new())
        .data_source(cluster::ClusterDataSource)
        .data_source(cluster::ClustersDataSource)
        .data_source(pipeline_runtime::PipelineRuntimeDataSource)
        .data_source(manifest::ListDataSource::<
            pipeline_runtime::PipelineRuntimeList,
        >::new())
        .data_source(deployment_runtime::DeploymentRuntimeDataSource)
        .data_source(manifest::ListDataSource::<
            deployment_runtime::DeploymentRuntimeList,
        >::new())
        .data_source(code_repo::CodeRepoDataSource)
        .data_source(manifest::ListDataSource::<code_repo::CodeRepoList>::new())
        .data_source(manifest::ManifestDataSource::<
            code_repo_binding::CodeRepoBindingKind,
        >::new())
        .data_source(manifest::ListDataSource::<
            code_repo_binding::CodeRepoBindingList,
        >::new());
}

output "product_url" {
  description = "Web page of the product's GitLab group."
  value       = nautes_product.shop.web_url
}

output "config_repository_url" {
  description = "URL to clone the product's configuration repository."
  value       = nautes_product.shop.config_repository.http_url
}

output "manifests" {
  description = "Paths of the manifests in the configuration repository."
  value = sort(concat(
    [nautes_environment.build.manifest_path, nautes_environment.staging.manifest_path],
    values(nautes_project.this)[*].manifest_path,
    values(nautes_code_repo.this)[*].manifest_path,
    [nautes_code_repo_binding.deployment.manifest_path],
    values(nautes_pipeline_runtime.this)[*].manifest_path,
    values(nautes_deployment_runtime.this)[*].manifest_path,
  ))
}

output "repositories" {
  description = "URLs to clone the code repositories."
  value       = { for name, repository in nautes_code_repo.this : name => repository.http_url }
}

output "secret" {
  description = "Path in Vault of the read-only deploy key of the repository `deployment`."
  value       = nautes_code_repo.this["deployment"].deploy_keys.readonly.vault_path
}

output "cluster_components" {
  description = "The components that were installed in the clusters, with their versions."
  value = {
    for cluster in concat(nautes_cluster.pipeline, nautes_cluster.deployment) :
    cluster.name => { for name, component in cluster.component_status : name => component.version }
  }
}

output "webhooks" {
  description = "The addresses that GitLab calls after a push, by service."
  value       = { for name, runtime in nautes_pipeline_runtime.this : name => runtime.webhooks["push"].url }
}

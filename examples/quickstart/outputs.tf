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
    values(nautes_environment.this)[*].manifest_path,
    values(nautes_project.this)[*].manifest_path,
    values(nautes_code_repo.this)[*].manifest_path,
    [nautes_code_repo_binding.deployment.manifest_path],
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
  description = "The components that were installed in the cluster, with their versions."
  value       = { for name, component in try(nautes_cluster.deployment[0].component_status, {}) : name => component.version }
}

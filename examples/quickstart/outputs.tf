output "product_url" {
  description = "Web page of the product's GitLab group."
  value       = nautes_product.shop.web_url
}

output "config_repository_url" {
  description = "Address to clone the product's configuration repository from."
  value       = nautes_product.shop.config_repository.http_url
}

output "manifests" {
  description = "The manifests that were written to the configuration repository."
  value = sort(concat(
    values(nautes_environment.this)[*].manifest_path,
    values(nautes_project.this)[*].manifest_path,
    values(nautes_code_repo.this)[*].manifest_path,
    [nautes_code_repo_binding.deployment.manifest_path],
  ))
}

output "repositories" {
  description = "Addresses to clone the code repositories from."
  value       = { for name, repository in nautes_code_repo.this : name => repository.http_url }
}

output "secret" {
  description = "Place in Vault of the read-only deploy key of the repository `deployment`."
  value       = nautes_code_repo.this["deployment"].deploy_keys.readonly.vault_path
}

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
  ))
}

data "nautes_code_repo_bindings" "of_checkout" {
  product = "shop"
  project = "checkout"
}

output "opened_repositories" {
  value = data.nautes_code_repo_bindings.of_checkout.code_repo_bindings[*].code_repo
}

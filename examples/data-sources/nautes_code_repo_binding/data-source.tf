data "nautes_code_repo_binding" "pipelines" {
  product = "shop"
  name    = "pipelines-to-checkout"
}

output "opened_to" {
  value = data.nautes_code_repo_binding.pipelines.projects
}

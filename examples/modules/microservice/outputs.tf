output "source_url" {
  description = "URL to clone the source repository."
  value       = nautes_code_repo.source.http_url
}

output "deployment_url" {
  description = "URL to clone the deployment repository over SSH, as the pipeline does."
  value       = nautes_code_repo.deployment.ssh_url
}

output "credential_secrets" {
  description = "Names of the Secrets that the pipeline may use, by credential."
  value       = nautes_pipeline_runtime.build.credential_secrets
}

output "applications" {
  description = "Names of the applications in Argo CD, by environment."
  value       = { for name, runtime in nautes_deployment_runtime.this : name => runtime.application }
}

output "services" {
  description = "Where each service is: the URLs of its repositories, and its applications in Argo CD."
  value       = module.service
}

output "argocd_url" {
  description = "Argo CD of the cluster that runs the services."
  value       = nautes_cluster.deployment.argocd_url
}

output "webhook_base_url" {
  description = "The address of the gateway that GitLab calls. Its name must resolve to the gateway's."
  value       = nautes_cluster.pipeline.webhook_base_url
}

data "nautes_cluster" "deploy" {
  name = "deploy-01"
}

output "argocd_namespace" {
  value = data.nautes_cluster.deploy.components["deployment"].namespace
}

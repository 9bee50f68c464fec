# The token is an ephemeral value: it is in no state and no plan.
variable "cluster_token" {
  type      = string
  ephemeral = true
}

resource "nautes_cluster" "deploy" {
  name         = "deploy-01"
  api_server   = "https://10.1.1.1:6443"
  cluster_type = "physical"
  usage        = "worker"
  worker_type  = "deployment"

  kubeconfig_wo         = provider::nautes::kubeconfig("https://10.1.1.1:6443", file("${path.module}/ca.pem"), var.cluster_token)
  kubeconfig_wo_version = 1
}

resource "nautes_cluster" "deploy" {
  name         = "deploy-01"
  api_server   = "https://10.1.1.1:6443"
  cluster_type = "physical"
  usage        = "worker"
  worker_type  = "deployment"

  # The kubeconfig is used once, and kept nowhere: a service account of the provider's own takes its
  # place. Change the number to give another one.
  kubeconfig_wo         = file("${path.module}/kubeconfig")
  kubeconfig_wo_version = 1

  # What is not named here is installed with its default version, which is chosen once and kept.
  components = {
    deployment = { version = "v3.5.1", host = "argocd.example.com" }
    gateway    = { https_node_port = 30443, http_node_port = 30080 }

    # One that is there already is used: it is neither upgraded nor removed.
    secret_sync = { install = false }
  }
}

# A virtual cluster runs in a host, from which its kubeconfig comes.
resource "nautes_cluster" "host" {
  name          = "host-01"
  api_server    = "https://10.1.1.2:6443"
  cluster_type  = "physical"
  usage         = "host"
  kubeconfig_wo = file("${path.module}/kubeconfig-host")
}

resource "nautes_cluster" "build" {
  name         = "build-01"
  api_server   = "https://10.1.1.2:31000"
  cluster_type = "virtual"
  usage        = "worker"
  worker_type  = "pipeline"
  host_cluster = nautes_cluster.host.id
}

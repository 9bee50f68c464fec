# A platform with two clusters, and a product with two services on it: a push to a service builds it in one cluster and
# deploys it in the other. The components of the clusters are installed: Argo CD, Tekton and others.
#
# Set NAUTES_GITLAB_TOKEN and NAUTES_VAULT_TOKEN, and write the kubeconfigs of the clusters into Vault first:
#   vault kv put -mount=kv clusters/pipeline-01 kubeconfig=@pipeline.kubeconfig
#   vault kv put -mount=kv clusters/deployment-01 kubeconfig=@deployment.kubeconfig

terraform {
  required_version = ">= 1.3"

  required_providers {
    nautes = {
      source  = "nautes/nautes"
      version = "~> 0.1.0"
    }
  }
}

provider "nautes" {
  gitlab = {
    url = var.gitlab_url

    # The output of `ssh-keyscan <host>`, after you have checked it.
    ssh_known_hosts = file(var.gitlab_known_hosts_file)
  }

  vault = {
    address = var.vault_address
  }

  # The repository in which the clusters are registered.
  tenant_repository = {
    project = "platform/management"
    create  = true
  }
}

# A slot of `components` that is absent is installed with its default.
resource "nautes_cluster" "pipeline" {
  name             = "pipeline-01"
  api_server       = var.clusters.pipeline.api_server
  cluster_type     = "physical"
  usage            = "worker"
  worker_type      = "pipeline"
  kubeconfig_vault = { mount = "kv", path = "clusters/pipeline-01" }
  primary_domain   = var.clusters.pipeline.domain

  components = {
    # GitLab calls this gateway after a push, so its certificate should be one that GitLab can verify.
    gateway = {
      service_type = "LoadBalancer"
      tls_secret   = var.clusters.pipeline.tls_secret
    }
  }
}

resource "nautes_cluster" "deployment" {
  name             = "deployment-01"
  api_server       = var.clusters.deployment.api_server
  cluster_type     = "physical"
  usage            = "worker"
  worker_type      = "deployment"
  kubeconfig_vault = { mount = "kv", path = "clusters/deployment-01" }
  primary_domain   = var.clusters.deployment.domain

  components = {
    gateway = {
      service_type = "LoadBalancer"
      tls_secret   = var.clusters.deployment.tls_secret
    }
  }
}

resource "nautes_product" "shop" {
  name         = "shop"
  display_name = "Web shop"
}

resource "nautes_environment" "build" {
  product  = nautes_product.shop.id
  name     = "build"
  cluster  = nautes_cluster.pipeline.id
  env_type = "build"
}

resource "nautes_environment" "production" {
  product  = nautes_product.shop.id
  name     = "production"
  cluster  = nautes_cluster.deployment.id
  env_type = "production"
}

module "service" {
  source   = "../modules/microservice"
  for_each = var.services

  product           = nautes_product.shop.id
  name              = each.key
  language          = each.value
  build_environment = nautes_environment.build.id
  environments      = { production = nautes_environment.production.id }
  registry_login    = { mount = "kv", path = "shop/registry", key = "config.json" }
}

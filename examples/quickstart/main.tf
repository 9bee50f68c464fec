# A cluster, and a product with an environment on it, two projects, and their code repositories.
#
# To try it without your own GitLab, run `cargo xtask quickstart`.
# To use your own, set NAUTES_GITLAB_URL, NAUTES_GITLAB_TOKEN, NAUTES_VAULT_ADDRESS and
# NAUTES_VAULT_TOKEN, then run `terraform init` and `terraform apply`.

terraform {
  required_version = ">= 1.0"

  required_providers {
    nautes = {
      source  = "nautes/nautes"
      version = "~> 0.1.0"
    }
  }
}

# Every argument of the provider can come from the environment: here the address and a token of GitLab,
# with the scope `api`, and the address and a token of Vault.
provider "nautes" {}

# A product is a GitLab group. Its manifests are in the repository `default.project` of that group.
resource "nautes_product" "shop" {
  name         = var.product
  display_name = "Web shop"
  description  = "Everything that sells"
}

# A cluster is registered in the tenant's repository, and gets the components that are named here. `cargo xtask
# quickstart` has one; without one, the clusters of environments are names that nobody checks.
resource "nautes_cluster" "deployment" {
  count = var.cluster == null ? 0 : 1

  name             = "deployment-01"
  api_server       = var.cluster.api_server
  cluster_type     = "physical"
  usage            = "worker"
  worker_type      = "deployment"
  kubeconfig_vault = var.cluster.kubeconfig_vault

  # The gateway is small and needs no download. Remove these lines, and the others are installed too.
  components = {
    deployment           = { install = false }
    progressive_delivery = { install = false }
    secret_sync          = { install = false }
  }
}

# An environment is a stage of the product on a cluster.
resource "nautes_environment" "this" {
  for_each   = var.environments
  depends_on = [nautes_cluster.deployment]

  product  = nautes_product.shop.id
  name     = each.key
  cluster  = each.value.cluster
  env_type = each.value.env_type
}

# A project is one service of the product.
resource "nautes_project" "this" {
  for_each = var.projects

  product  = nautes_product.shop.id
  name     = each.key
  language = each.value

  # Destroys a project only after the resources that used it have changed.
  lifecycle {
    create_before_destroy = true
  }
}

# A code repository is a GitLab project of the product. Its private keys and its access token are stored
# only in Vault.
resource "nautes_code_repo" "this" {
  for_each = var.repositories

  product      = nautes_product.shop.id
  name         = each.key
  project      = each.value == null ? null : nautes_project.this[each.value].id
  access_token = {}
}

# The deployment repository belongs to no project. Every service may write to it with its own key.
resource "nautes_code_repo_binding" "deployment" {
  product     = nautes_product.shop.id
  name        = "deployment"
  code_repo   = nautes_code_repo.this["deployment"].id
  projects    = values(nautes_project.this)[*].id
  permissions = "readwrite"
}

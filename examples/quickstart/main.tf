# Everything that a product needs to get from a push to a deployment: two clusters, a product with two environments,
# its services with their code repositories, and for each service a pipeline and a deployment.
#
# To try it without your own servers, run `cargo xtask quickstart`.
# To use your own, set NAUTES_GITLAB_URL, NAUTES_GITLAB_TOKEN, NAUTES_VAULT_ADDRESS and NAUTES_VAULT_TOKEN, then run
# `terraform init` and `terraform apply`. Without the variables of the clusters, everything but clusters, pipelines and
# deployments is made. With them, set NAUTES_TENANT_REPOSITORY_PROJECT too, the repository in which clusters are
# registered, and NAUTES_GITLAB_SSH_KNOWN_HOSTS, the SSH host keys of GitLab.

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

locals {
  # The source repository of each service.
  sources = { for repository, service in var.repositories : service => repository if service != null }
}

# A cluster is registered in the tenant's repository, and gets the components that its purpose needs. This one runs
# pipelines.
resource "nautes_cluster" "pipeline" {
  count = var.pipeline_cluster == null ? 0 : 1

  name             = "pipeline-01"
  api_server       = var.pipeline_cluster.api_server
  cluster_type     = "physical"
  usage            = "worker"
  worker_type      = "pipeline"
  kubeconfig_vault = var.pipeline_cluster.kubeconfig_vault
  webhook_base_url = var.pipeline_cluster.webhook_base_url

  # The gateway, which is not named here, is installed in any case.
  components = {
    deployment     = { install = var.install_components }
    secret_sync    = { install = var.install_components }
    pipeline       = { install = var.install_components }
    event_listener = { install = var.install_components }
  }
}

# This one runs the services.
resource "nautes_cluster" "deployment" {
  count = var.deployment_cluster == null ? 0 : 1

  name             = "deployment-01"
  api_server       = var.deployment_cluster.api_server
  cluster_type     = "physical"
  usage            = "worker"
  worker_type      = "deployment"
  kubeconfig_vault = var.deployment_cluster.kubeconfig_vault

  components = {
    deployment           = { install = var.install_components }
    secret_sync          = { install = var.install_components }
    progressive_delivery = { install = var.install_components }
  }
}

# A product is a GitLab group. Its manifests are in the repository `default.project` of that group.
resource "nautes_product" "shop" {
  name         = var.product
  display_name = "Web shop"
  description  = "Everything that sells"
}

# An environment is a stage of the product on a cluster. Without the cluster it is a name that nobody checks.
resource "nautes_environment" "build" {
  product  = nautes_product.shop.id
  name     = "build"
  cluster  = try(nautes_cluster.pipeline[0].id, "pipeline-01")
  env_type = "build"
}

resource "nautes_environment" "staging" {
  product  = nautes_product.shop.id
  name     = "staging"
  cluster  = try(nautes_cluster.deployment[0].id, "deployment-01")
  env_type = "staging"
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

  product       = nautes_product.shop.id
  name          = each.key
  project       = each.value == null ? null : nautes_project.this[each.value].id
  access_token  = {}
  force_destroy = var.force_destroy
}

# The deployment repository belongs to no project. Every service may write to it with its own key.
resource "nautes_code_repo_binding" "deployment" {
  product     = nautes_product.shop.id
  name        = "deployment"
  code_repo   = nautes_code_repo.this["deployment"].id
  projects    = values(nautes_project.this)[*].id
  permissions = "readwrite"
}

# A push to the branch `main` of a service starts the pipeline that its repository has in `pipelines/build.yaml`, with
# the commit as the value of its first parameter.
resource "nautes_pipeline_runtime" "this" {
  for_each = var.pipeline_cluster == null ? {} : local.sources

  product         = nautes_product.shop.id
  name            = "${each.key}-ci"
  project         = nautes_project.this[each.key].id
  pipeline_source = nautes_code_repo.this[each.value].id
  destination     = { environment = nautes_environment.build.id }

  event_sources = {
    push = { gitlab = {
      code_repo = nautes_code_repo.this[each.value].id
      events    = ["push_events"]
      branch    = "main"
    } }
  }
  pipelines = {
    build = { path = "pipelines/build.yaml" }
  }
  pipeline_triggers = [{
    event_source = "push"
    pipeline     = "build"
    inputs       = [{ from_event = "commitID", kustomization_path = "/spec/params/0/value" }]
  }]

  # The pipeline may push to the deployment repository. The attribute is that of the binding, which gives the right.
  credentials = {
    deploy = {
      code_repo  = nautes_code_repo_binding.deployment.code_repo
      permission = "readwrite"
    }
  }
}

# What the deployment repository has in the folder of a service is kept deployed in the namespace of the service.
resource "nautes_deployment_runtime" "this" {
  for_each = var.deployment_cluster == null ? {} : var.projects

  product  = nautes_product.shop.id
  name     = each.key
  projects = [nautes_project.this[each.key].id]

  manifest_source = {
    code_repo       = nautes_code_repo_binding.deployment.code_repo
    target_revision = "main"
    path            = each.key
  }
  destination = { environment = nautes_environment.staging.id }
}

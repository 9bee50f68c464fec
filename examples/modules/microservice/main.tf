# One service of a product, from its source to its deployment:
#
#   push to <name>  ->  pipeline in pipelines/build.yaml  ->  commit to <name>-deployment  ->  Argo CD

terraform {
  required_version = ">= 1.3"

  required_providers {
    nautes = {
      source  = "nautes/nautes"
      version = "~> 0.1.0"
    }
  }
}

resource "nautes_project" "this" {
  product  = var.product
  name     = var.name
  language = var.language
}

# The source of the service, and its pipeline.
resource "nautes_code_repo" "source" {
  product = var.product
  project = nautes_project.this.id
  name    = var.name

  # Results of the pipeline are reported to GitLab with it.
  access_token = {}
}

# What is deployed: one folder for each environment. It belongs to no project; the binding says who may use it.
resource "nautes_code_repo" "deployment" {
  product = var.product
  name    = "${var.name}-deployment"
}

# Lets the pipeline push to the deployment repository, and Argo CD read it.
resource "nautes_code_repo_binding" "deployment" {
  product     = var.product
  name        = "${var.name}-deployment"
  code_repo   = nautes_code_repo.deployment.id
  projects    = [nautes_project.this.id]
  permissions = "readwrite"
}

resource "nautes_pipeline_runtime" "build" {
  product         = var.product
  name            = "${var.name}-ci"
  project         = nautes_project.this.id
  pipeline_source = nautes_code_repo.source.id
  destination     = { environment = var.build_environment }

  event_sources = {
    push = { gitlab = {
      code_repo = nautes_code_repo.source.id
      events    = ["push_events"]
      branch    = var.branch
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

  # The Secret of this entry is called <name>-ci-deploy. The attribute is that of the binding, which gives the right.
  credentials = merge(
    {
      deploy = {
        code_repo  = nautes_code_repo_binding.deployment.code_repo
        permission = "readwrite"
      }
    },
    {
      for name, login in { registry = var.registry_login } :
      name => { vault = login, type = "dockerconfigjson" } if login != null
    },
  )

  report_status = true
}

resource "nautes_deployment_runtime" "this" {
  for_each = var.environments

  product  = var.product
  name     = "${var.name}-${each.key}"
  projects = [nautes_project.this.id]

  manifest_source = {
    code_repo       = nautes_code_repo_binding.deployment.code_repo
    target_revision = "main"
    path            = each.key
  }
  destination = { environment = each.value }
}

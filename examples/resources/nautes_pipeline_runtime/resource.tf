resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_project" "checkout" {
  product = nautes_product.shop.id
  name    = "checkout"
}

resource "nautes_environment" "build" {
  product  = nautes_product.shop.id
  name     = "build"
  cluster  = "pipeline-01"
  env_type = "build"
}

resource "nautes_code_repo" "source" {
  product = nautes_product.shop.id
  name    = "checkout"
  project = nautes_project.checkout.id
}

resource "nautes_code_repo" "pipelines" {
  product = nautes_product.shop.id
  name    = "checkout-pipelines"
  project = nautes_project.checkout.id
}

resource "nautes_code_repo" "deployment" {
  product = nautes_product.shop.id
  name    = "checkout-deployment"
}

# Lets the pipelines of the project push to the deployment repository.
resource "nautes_code_repo_binding" "deployment" {
  product     = nautes_product.shop.id
  name        = "checkout-deployment"
  code_repo   = nautes_code_repo.deployment.id
  projects    = [nautes_project.checkout.id]
  permissions = "readwrite"
}

resource "nautes_pipeline_runtime" "build" {
  product         = nautes_product.shop.id
  name            = "checkout-ci"
  project         = nautes_project.checkout.id
  pipeline_source = nautes_code_repo.pipelines.id
  destination     = { environment = nautes_environment.build.id }

  event_sources = {
    on-push = { gitlab = {
      code_repo = nautes_code_repo.source.id
      events    = ["push_events"]
      branch    = "main"
    } }
    nightly = { calendar = { schedule = "0 3 * * *", timezone = "Europe/Berlin" } }
  }
  pipelines = {
    build = { path = "pipelines/build.yaml", label = "build" }
  }
  pipeline_triggers = [
    {
      event_source = "on-push"
      pipeline     = "build"
      inputs       = [{ from_event = "commitID", kustomization_path = "/spec/params/0/value" }]
    },
    { event_source = "nightly", pipeline = "build", revision = "main" },
  ]

  # The binding's attribute instead of the repository's, so that the binding is made before.
  credentials = {
    deploy = {
      code_repo  = nautes_code_repo_binding.deployment.code_repo
      permission = "readwrite"
    }
    registry = {
      vault = { mount = "kv", path = "shop/registry", key = "config.json" }
      type  = "dockerconfigjson"
    }
  }
}

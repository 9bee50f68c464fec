resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_environment" "staging" {
  product  = nautes_product.shop.id
  name     = "staging"
  cluster  = "deployment-01"
  env_type = "staging"
}

resource "nautes_project" "checkout" {
  product = nautes_product.shop.id
  name    = "checkout"
}

resource "nautes_code_repo" "deployment" {
  product            = nautes_product.shop.id
  project            = nautes_project.checkout.id
  name               = "checkout-deployment"
  deployment_runtime = true
}

# Argo CD keeps what is in the folder overlays/staging deployed in the namespace shop-checkout.
resource "nautes_deployment_runtime" "checkout" {
  product  = nautes_product.shop.id
  name     = "checkout"
  projects = [nautes_project.checkout.id]

  manifest_source = {
    code_repo       = nautes_code_repo.deployment.id
    target_revision = "main"
    path            = "overlays/staging"
  }

  destination = {
    environment = nautes_environment.staging.id
    # namespaces = ["checkout"]
  }
}

resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_project" "checkout" {
  product  = nautes_product.shop.id
  name     = "checkout"
  language = "rust"
}

# Source code of one project, which tells pipelines of pushes.
resource "nautes_code_repo" "checkout" {
  product        = nautes_product.shop.id
  project        = nautes_project.checkout.id
  name           = "checkout"
  webhook_events = ["push_events"]
  access_token   = {}
}

# Pipelines of the whole product.
resource "nautes_code_repo" "pipelines" {
  product          = nautes_product.shop.id
  name             = "pipelines"
  pipeline_runtime = true
}

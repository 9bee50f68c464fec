resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_project" "checkout" {
  product  = nautes_product.shop.id
  name     = "checkout"
  language = "rust"
}

# The source code of a project. Pipelines can listen to its pushes.
resource "nautes_code_repo" "checkout" {
  product        = nautes_product.shop.id
  project        = nautes_project.checkout.id
  name           = "checkout"
  webhook_events = ["push_events"]
  access_token   = {}
}

# The pipelines of the product.
resource "nautes_code_repo" "pipelines" {
  product          = nautes_product.shop.id
  name             = "pipelines"
  pipeline_runtime = true
}

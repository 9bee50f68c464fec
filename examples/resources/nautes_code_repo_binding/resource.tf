resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_project" "checkout" {
  product  = nautes_product.shop.id
  name     = "checkout"
  language = "rust"
}

resource "nautes_code_repo" "checkout" {
  product = nautes_product.shop.id
  project = nautes_project.checkout.id
  name    = "checkout"
}

resource "nautes_code_repo" "pipelines" {
  product          = nautes_product.shop.id
  name             = "pipelines"
  pipeline_runtime = true
}

# Permits the repositories of the project checkout to clone the pipelines.
resource "nautes_code_repo_binding" "pipelines" {
  product     = nautes_product.shop.id
  name        = "pipelines-to-checkout"
  code_repo   = nautes_code_repo.pipelines.id
  projects    = [nautes_project.checkout.id]
  permissions = "readonly"

  # The deploy keys that the binding enables must exist.
  depends_on = [nautes_code_repo.checkout]
}

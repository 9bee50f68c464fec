import {
  to = nautes_environment.staging
  identity = {
    product_id = "product-12"
    name       = "staging"
  }
}

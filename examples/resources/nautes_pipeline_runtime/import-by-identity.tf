import {
  to = nautes_pipeline_runtime.build
  identity = {
    product_id = "product-12"
    name       = "checkout-ci"
  }
}

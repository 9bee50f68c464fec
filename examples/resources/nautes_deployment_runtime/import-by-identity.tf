import {
  to = nautes_deployment_runtime.checkout
  identity = {
    product_id = "product-12"
    name       = "checkout"
  }
}

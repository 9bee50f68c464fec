import {
  to = nautes_deployment_runtime.checkout
  id = "product-12/checkout"
}

import {
  to = nautes_pipeline_runtime.build
  id = "product-12/checkout-ci"
}

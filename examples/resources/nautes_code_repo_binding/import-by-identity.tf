import {
  to = nautes_code_repo_binding.pipelines
  identity = {
    product_id = "product-12"
    name       = "pipelines-to-checkout"
  }
}

import {
  to = nautes_code_repo_binding.pipelines
  id = "product-12/pipelines-to-checkout"
}

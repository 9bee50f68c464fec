# By the name or id of the product, and the name of the binding.
terraform import nautes_code_repo_binding.pipelines shop/pipelines-to-checkout
terraform import nautes_code_repo_binding.pipelines product-12/pipelines-to-checkout

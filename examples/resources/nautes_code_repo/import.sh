# The product by name or by id, then the repository; or the repository's id.
terraform import nautes_code_repo.checkout shop/checkout
terraform import nautes_code_repo.checkout product-12/checkout
terraform import nautes_code_repo.checkout repo-34

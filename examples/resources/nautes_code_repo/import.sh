# By the name or id of the product and the name of the repository, or by the id of the repository.
terraform import nautes_code_repo.checkout shop/checkout
terraform import nautes_code_repo.checkout product-12/checkout
terraform import nautes_code_repo.checkout repo-34

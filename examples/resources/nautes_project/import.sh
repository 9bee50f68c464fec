# The product by name or by id, then the project.
terraform import nautes_project.checkout shop/checkout
terraform import nautes_project.checkout product-12/checkout

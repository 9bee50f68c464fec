# By the name or id of the product, and the name of the project.
terraform import nautes_project.checkout shop/checkout
terraform import nautes_project.checkout product-12/checkout

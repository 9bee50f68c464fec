# The product by name or by id, then the environment.
terraform import nautes_environment.staging shop/staging
terraform import nautes_environment.staging product-12/staging

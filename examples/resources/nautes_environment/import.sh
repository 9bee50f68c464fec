# By the name or id of the product, and the name of the environment.
terraform import nautes_environment.staging shop/staging
terraform import nautes_environment.staging product-12/staging

# By the name or id of the product, and the name of the runtime.
terraform import nautes_deployment_runtime.checkout shop/checkout
terraform import nautes_deployment_runtime.checkout product-12/checkout

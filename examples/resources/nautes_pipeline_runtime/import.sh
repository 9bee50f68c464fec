# By the name or id of the product, and the name of the runtime.
terraform import nautes_pipeline_runtime.build shop/checkout-ci
terraform import nautes_pipeline_runtime.build product-12/checkout-ci

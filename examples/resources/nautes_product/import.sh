# By name, by the full path of the GitLab group, or by id.
terraform import nautes_product.shop shop
terraform import nautes_product.shop acme/platform/shop
terraform import nautes_product.shop product-12

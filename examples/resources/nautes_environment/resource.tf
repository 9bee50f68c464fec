resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_environment" "staging" {
  product  = nautes_product.shop.id
  name     = "staging"
  cluster  = "deployment-01"
  env_type = "staging"
}

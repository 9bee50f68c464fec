data "nautes_product" "shop" {
  name = "shop"
}

output "clone" {
  value = data.nautes_product.shop.config_repository.http_url
}

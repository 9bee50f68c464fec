data "nautes_products" "web" {
  name_regex = "^web-"
}

output "names" {
  value = data.nautes_products.web.products[*].name
}

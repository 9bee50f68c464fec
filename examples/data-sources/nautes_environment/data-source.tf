data "nautes_environment" "this" {
  product = "shop"
  name    = "example"
}

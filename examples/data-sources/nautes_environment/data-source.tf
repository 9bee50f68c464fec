data "nautes_environment" "staging" {
  product = "shop"
  name    = "staging"
}

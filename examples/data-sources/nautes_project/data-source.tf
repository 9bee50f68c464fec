data "nautes_project" "checkout" {
  product = "shop"
  name    = "checkout"
}

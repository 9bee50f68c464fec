data "nautes_project" "this" {
  product = "shop"
  name    = "example"
}

resource "nautes_product" "shop" {
  name         = "shop"
  display_name = "Web shop"
  description  = "Everything that sells"
}

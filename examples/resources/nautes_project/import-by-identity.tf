import {
  to = nautes_project.checkout
  identity = {
    product_id = "product-12"
    name       = "checkout"
  }
}

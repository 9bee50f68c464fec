import {
  to = nautes_project.checkout
  id = "product-12/checkout"
}

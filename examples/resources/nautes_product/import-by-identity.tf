import {
  to = nautes_product.shop
  identity = {
    product_id = "product-12"
  }
}

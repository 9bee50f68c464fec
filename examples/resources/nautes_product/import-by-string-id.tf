import {
  to = nautes_product.shop
  id = "shop"
}

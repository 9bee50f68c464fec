import {
  to = nautes_environment.staging
  id = "product-12/staging"
}

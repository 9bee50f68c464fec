data "nautes_deployment_runtime" "checkout" {
  product = "shop"
  name    = "checkout"
}

output "checkout_is_deployed" {
  value = data.nautes_deployment_runtime.checkout.sync_status == "Synced"
}

data "nautes_pipeline_runtime" "build" {
  product = "shop"
  name    = "checkout-ci"
}

output "hooks" {
  value = data.nautes_pipeline_runtime.build.webhook_status
}

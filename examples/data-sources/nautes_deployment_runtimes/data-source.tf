data "nautes_deployment_runtimes" "of_checkout" {
  product = "shop"
  project = "checkout"
}

output "namespaces" {
  value = data.nautes_deployment_runtimes.of_checkout.deployment_runtimes[*].effective_namespaces
}

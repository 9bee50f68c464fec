data "nautes_pipeline_runtimes" "all" {
  product = "shop"
}

output "names" {
  value = data.nautes_pipeline_runtimes.all.pipeline_runtimes[*].name
}

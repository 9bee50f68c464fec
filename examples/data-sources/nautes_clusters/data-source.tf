data "nautes_clusters" "all" {
}

output "deployment_workers" {
  value = [for cluster in data.nautes_clusters.all.clusters : cluster.name if cluster.worker_type == "deployment"]
}

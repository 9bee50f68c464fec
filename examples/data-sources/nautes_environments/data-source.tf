data "nautes_environments" "all" {
  product = "shop"
}

output "names" {
  value = data.nautes_environments.all.environments[*].name
}

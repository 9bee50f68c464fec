data "nautes_projects" "all" {
  product = "shop"
}

output "names" {
  value = data.nautes_projects.all.projects[*].name
}

# A product with three environments and two projects.
#
# Try it without a GitLab of your own: `cargo xtask quickstart`.
# Against your own: set NAUTES_GITLAB_URL and NAUTES_GITLAB_TOKEN, then
# `terraform init` and `terraform apply`.

terraform {
  required_version = ">= 1.0"

  required_providers {
    nautes = {
      source = "nautes/nautes"
    }
  }
}

# Every argument of the provider can come from the environment: here the address of GitLab from
# NAUTES_GITLAB_URL, and an access token with the scope `api` from NAUTES_GITLAB_TOKEN.
provider "nautes" {}

# A product is a GitLab group. Its manifests are in the repository `default.project` of that group.
resource "nautes_product" "shop" {
  name         = var.product
  display_name = "Web shop"
  description  = "Everything that sells"
}

# An environment is a stage of the product on a cluster.
resource "nautes_environment" "this" {
  for_each = var.environments

  product  = nautes_product.shop.id
  name     = each.key
  cluster  = each.value.cluster
  env_type = each.value.env_type
}

# A project is one service of the product.
resource "nautes_project" "this" {
  for_each = var.projects

  product  = nautes_product.shop.id
  name     = each.key
  language = each.value
}

terraform {
  required_providers {
    gitlab = {
      source  = "gitlabhq/gitlab"
      version = ">= 18.0"
    }
    nautes = {
      source  = "nautes/nautes"
      version = "~> 0.1.0"
    }
  }
}

resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_code_repo" "checkout" {
  product = nautes_product.shop.id
  name    = "checkout"
}

# The gitlab provider adds to what this provider has created.
resource "gitlab_group_membership" "developer" {
  group_id     = nautes_product.shop.group_id
  user_id      = 42
  access_level = "developer"
}

resource "gitlab_branch_protection" "main" {
  project            = nautes_code_repo.checkout.project_id
  branch             = "main"
  push_access_level  = "maintainer"
  merge_access_level = "developer"
}

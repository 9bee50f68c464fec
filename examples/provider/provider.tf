terraform {
  required_providers {
    nautes = {
      source = "nautes/nautes"
    }
  }
}

# The token comes from the environment: NAUTES_GITLAB_TOKEN.
provider "nautes" {
  gitlab = {
    url          = "https://gitlab.example.com"
    parent_group = "acme/platform"
  }

  commit = {
    author_name  = "Platform team"
    author_email = "platform@example.com"
  }
}

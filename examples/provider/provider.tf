terraform {
  required_providers {
    nautes = {
      source  = "nautes/nautes"
      version = "~> 0.1.0"
    }
  }
}

# The tokens come from the environment: NAUTES_GITLAB_TOKEN and NAUTES_VAULT_TOKEN.
provider "nautes" {
  gitlab = {
    url          = "https://gitlab.example.com"
    parent_group = "acme/platform"
  }

  vault = {
    address = "https://vault.example.com"
  }

  commit = {
    author_name  = "Platform team"
    author_email = "platform@example.com"
  }
}

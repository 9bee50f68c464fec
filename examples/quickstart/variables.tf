variable "product" {
  description = "Name of the product, which is the path of its GitLab group."
  type        = string
  default     = "shop"
}

variable "environments" {
  description = "Stages of the product by name: the cluster of each, and what kind of stage it is."
  type = map(object({
    cluster  = string
    env_type = string
  }))
  default = {
    build      = { cluster = "pipeline-01", env_type = "build" }
    staging    = { cluster = "deployment-01", env_type = "staging" }
    production = { cluster = "deployment-02", env_type = "production" }
  }
}

variable "projects" {
  description = "Services of the product by name, with the language that each is written in."
  type        = map(string)
  default = {
    checkout = "rust"
    catalog  = "go"
  }
}

variable "repositories" {
  description = "Code repositories of the product by name, with the service that each belongs to."
  type        = map(string)
  default = {
    checkout-source = "checkout"
    catalog-source  = "catalog"
    deployment      = null
  }
}

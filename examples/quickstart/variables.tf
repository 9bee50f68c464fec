variable "cluster" {
  description = "The cluster to register: its API server, and where its kubeconfig is in Vault. None by default."
  type = object({
    api_server = string
    kubeconfig_vault = object({
      mount = string
      path  = string
    })
  })
  default = null
}

variable "product" {
  description = "Name of the product, which is the path of its GitLab group."
  type        = string
  default     = "shop"
}

variable "environments" {
  description = "Environments of the product by name, each with its cluster and type."
  type = map(object({
    cluster  = string
    env_type = string
  }))
  default = {
    staging = { cluster = "deployment-01", env_type = "staging" }
  }
}

variable "projects" {
  description = "Services of the product by name, each with its programming language."
  type        = map(string)
  default = {
    checkout = "rust"
    catalog  = "go"
  }
}

variable "repositories" {
  description = "Code repositories of the product by name, each with the service that owns it."
  type        = map(string)
  default = {
    checkout-source = "checkout"
    catalog-source  = "catalog"
    deployment      = null
  }
}

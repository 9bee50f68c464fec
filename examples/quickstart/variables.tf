variable "pipeline_cluster" {
  description = "The cluster that runs pipelines: its API server, where its kubeconfig is in Vault, and how GitLab reaches its gateway (null: as the provider derives it). None by default."
  type = object({
    api_server = string
    kubeconfig_vault = object({
      mount = string
      path  = string
    })
    webhook_base_url = string
  })
  default = null
}

variable "deployment_cluster" {
  description = "The cluster that runs the services: its API server, and where its kubeconfig is in Vault. None by default."
  type = object({
    api_server = string
    kubeconfig_vault = object({
      mount = string
      path  = string
    })
  })
  default = null
}

variable "install_components" {
  description = "Whether components such as Argo CD and Tekton are installed in the clusters. With false, they have to be there."
  type        = bool
  default     = true
}

variable "product" {
  description = "Name of the product, which is the path of its GitLab group."
  type        = string
  default     = "shop"
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
  description = "Code repositories of the product by name, each with the service whose source it has, if any."
  type        = map(string)
  default = {
    checkout-source = "checkout"
    catalog-source  = "catalog"
    deployment      = null
  }
}

variable "force_destroy" {
  description = "Whether a destroy deletes code repositories that hold work."
  type        = bool
  default     = false
}

variable "gitlab_url" {
  description = "URL of GitLab."
  type        = string
  default     = "https://gitlab.example.com"
}

variable "gitlab_known_hosts_file" {
  description = "A file with the SSH host keys of GitLab, in the format of `known_hosts`."
  type        = string
  default     = "gitlab_known_hosts"
}

variable "vault_address" {
  description = "URL of Vault."
  type        = string
  default     = "https://vault.example.com"
}

variable "clusters" {
  description = "The clusters: their API servers, the domains below which their components have hosts, and the Secrets in the namespace of the gateway with the certificates for these domains."
  type = object({
    pipeline = object({
      api_server = string
      domain     = string
      tls_secret = optional(string)
    })
    deployment = object({
      api_server = string
      domain     = string
      tls_secret = optional(string)
    })
  })
  default = {
    pipeline   = { api_server = "https://10.1.1.1:6443", domain = "pipeline.example.com" }
    deployment = { api_server = "https://10.1.1.2:6443", domain = "deployment.example.com" }
  }
}

variable "services" {
  description = "Services of the product by name, each with its programming language."
  type        = map(string)
  default = {
    checkout = "rust"
    catalog  = "go"
  }
}

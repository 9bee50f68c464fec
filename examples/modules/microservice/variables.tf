variable "product" {
  description = "Id of the product."
  type        = string
}

variable "name" {
  description = "Name of the service, which is also that of its repository."
  type        = string
}

variable "language" {
  description = "Programming language of the service."
  type        = string
  default     = null
}

variable "branch" {
  description = "The branch whose pushes start the pipeline."
  type        = string
  default     = "main"
}

variable "build_environment" {
  description = "Id of the environment in which the pipeline runs."
  type        = string
}

variable "environments" {
  description = "Ids of the environments to deploy to, by the folder of the deployment repository."
  type        = map(string)
}

variable "registry_login" {
  description = "Where Vault has a docker configuration with the login to the registry of images. Its path begins with the name of the product."
  type = object({
    mount = string
    path  = string
    key   = string
  })
  default = null
}

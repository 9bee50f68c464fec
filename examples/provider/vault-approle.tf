variable "secret_id" {
  type      = string
  sensitive = true
}

provider "nautes" {
  vault = {
    address = "https://vault.example.com"
    approle = {
      role_id   = "d4f3a1c2-0b5e-4c7d-9a68-3e2f1b0c9d8e"
      secret_id = var.secret_id # or NAUTES_VAULT_APPROLE_SECRET_ID
    }
  }
}

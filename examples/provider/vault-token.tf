variable "vault_token" {
  type      = string
  sensitive = true
}

provider "nautes" {
  vault = {
    address = "https://vault.example.com"
    token   = var.vault_token # or NAUTES_VAULT_TOKEN, VAULT_TOKEN, or what `vault login` has stored
  }
}

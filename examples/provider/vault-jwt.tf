# The token comes from NAUTES_VAULT_JWT_TOKEN. In a run of HCP Terraform, the workload identity
# token TFC_WORKLOAD_IDENTITY_TOKEN is used.
provider "nautes" {
  vault = {
    address = "https://vault.example.com"
    jwt = {
      role = "nautes"
    }
  }
}

# Runs in a pod, with the token of its service account.
provider "nautes" {
  vault = {
    address = "https://vault.example.com"
    kubernetes = {
      role = "nautes"
    }
  }
}

data "nautes_code_repo" "checkout" {
  product = "shop"
  name    = "checkout"
}

output "clone_url" {
  value = data.nautes_code_repo.checkout.ssh_url
}

data "nautes_code_repos" "of_checkout" {
  product    = "shop"
  project    = "checkout"
  name_regex = "^checkout-"
}

output "code_repos" {
  value = data.nautes_code_repos.of_checkout.code_repos[*].name
}

import {
  to = nautes_code_repo.checkout
  id = "repo-34"
}

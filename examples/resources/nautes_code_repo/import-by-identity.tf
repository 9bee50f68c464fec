import {
  to = nautes_code_repo.checkout
  identity = {
    project_id = 34
  }
}

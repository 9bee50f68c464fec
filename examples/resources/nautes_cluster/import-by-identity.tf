import {
  to = nautes_cluster.deploy
  identity = {
    name = "deploy-01"
  }
}

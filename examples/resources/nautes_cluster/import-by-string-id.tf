import {
  to = nautes_cluster.deploy
  id = "deploy-01"
}

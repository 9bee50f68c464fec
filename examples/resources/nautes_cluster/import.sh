# By the name of the cluster.
terraform import nautes_cluster.deploy deploy-01

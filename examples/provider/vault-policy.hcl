# What the provider needs in Vault for the secrets of code repositories.
path "git/data/gitlab/repo-*" {
  capabilities = ["create", "update", "read"]
}

path "git/metadata/gitlab/repo-*" {
  capabilities = ["create", "update", "read", "list", "delete"]
}

# Each secret has a policy of its own, such as gitlab-repo-34-default-readonly, which allows reading it.
path "sys/policies/acl" {
  capabilities = ["list"]
}

path "sys/policies/acl/gitlab-repo-*" {
  capabilities = ["create", "update", "read", "delete"]
}

# What runtimes need besides: the credential for their cluster, the token of hooks to Argo CD, and the roles of their
# product in the cluster.
path "cluster/data/kubernetes/+/default/runtime" {
  capabilities = ["read"]
}

path "cluster/data/kubernetes/+/default/argocd-webhook" {
  capabilities = ["read"]
}

path "auth/+/role/product-*" {
  capabilities = ["create", "update", "read", "delete"]
}

# For `credentials` of pipeline runtimes that name a value in Vault: a policy for each, and the right to read the value,
# because the provider gives pipelines nothing that it may not read itself.
path "sys/policies/acl/product-*" {
  capabilities = ["create", "update", "read", "delete"]
}

path "kv/data/shop/*" {
  capabilities = ["read"]
}

//! The provider block, argument by argument.

use std::collections::BTreeSet;

use terraform_plugin::model::Model;
use terraform_plugin::schema::one_of;

use super::validators::server_url;
use crate::resources::attribute::{branch_name, not_empty};

/// Manages products of the Nautes model: their GitLab groups, configuration repositories and code repositories, the
/// manifests of everything in them, and their secrets in Vault.
///
/// Every argument can come from an environment variable instead, under the same rules. Arguments in the configuration
/// win over `NAUTES_*` variables, which win over the variables of other tools; an unknown `NAUTES_*` variable is a
/// warning. Nothing is contacted before a resource needs it. Arguments for kinds of resources that this version does not
/// have yet are accepted with a warning.
#[derive(Model)]
pub struct ProviderBlock {
    /// Name of the tenant; `nautes` by default.
    #[tf(environment(["NAUTES_TENANT"]), validate(not_empty()))]
    pub tenant: Option<String>,
    /// What makes the runtime objects in the clusters: this `provider` (the default), or the
    /// operators of an existing `nautes` installation.
    #[tf(environment(["NAUTES_RECONCILER"]), validate(one_of(["provider", "nautes"])))]
    pub reconciler: Option<String>,
    /// The GitLab that holds the products.
    pub gitlab: Option<GitLabBlock>,
    /// The Vault or `OpenBao` that holds the secrets; needed by resources that store some.
    pub vault: Option<VaultBlock>,
    /// Single sign-on of the dashboards: of Argo CD, and of Tekton's, which is not reached without it.
    pub oidc: Option<OidcBlock>,
    /// The repository that holds the manifests of clusters. With it, the clusters that environments
    /// name are checked; without it they are not.
    pub tenant_repository: Option<TenantRepositoryBlock>,
    /// The cluster in which the operators of a Nautes installation run; used with
    /// `reconciler = "nautes"` alone. This version does not look at it.
    pub tenant_cluster: Option<TenantClusterBlock>,
    /// Name of the `CodeRepoProvider` that manifests of code repositories refer to;
    /// `gitlab-nautes` by default.
    #[tf(environment(["NAUTES_CODE_REPO_PROVIDER"]), validate(not_empty()))]
    pub code_repo_provider: Option<String>,
    /// How commits in configuration repositories are made.
    pub commit: Option<CommitBlock>,
    /// What happens at destroy with what lives in a cluster that cannot be reached: `fail`
    /// (the default) keeps it in the state, `forget` goes on as if it were gone, with a warning. Another
    /// cluster that answers is an error in any case.
    #[tf(environment(["NAUTES_UNREACHABLE_CLUSTERS"]), validate(one_of(["fail", "forget"])))]
    pub unreachable_clusters: Option<String>,
    /// Whether changes are written without checking the rules of the model; `false` by
    /// default.
    #[tf(environment(["NAUTES_INSECURE_SKIP_CHECK"]))]
    pub insecure_skip_check: Option<bool>,
}

/// A GitLab.
#[derive(Model)]
pub struct GitLabBlock {
    /// URL of the GitLab, with or without `/api/v4`.
    #[tf(environment(["NAUTES_GITLAB_URL", "GITLAB_BASE_URL"]), validate(server_url()))]
    pub url: Option<String>,
    /// Access token with the scope `api`.
    #[tf(sensitive, environment(["NAUTES_GITLAB_TOKEN", "GITLAB_TOKEN"]))]
    pub token: Option<String>,
    /// Full path of the group below which products are made; without it they are top-level
    /// groups.
    #[tf(environment(["NAUTES_GITLAB_PARENT_GROUP"]))]
    pub parent_group: Option<String>,
    /// File with certificates (PEM) of authorities that are trusted in addition to the system's.
    #[tf(environment(["NAUTES_GITLAB_CA_FILE"]), conflicts_with(["ca_pem"]))]
    pub ca_file: Option<String>,
    /// Certificates (PEM) of authorities that are trusted in addition to the system's.
    #[tf(environment(["NAUTES_GITLAB_CA_PEM"]))]
    pub ca_pem: Option<String>,
    /// The GitLab's SSH host keys in the format of `known_hosts`, which Argo CD and pipelines verify.
    #[tf(environment(["NAUTES_GITLAB_SSH_KNOWN_HOSTS"]))]
    pub ssh_known_hosts: Option<String>,
}

/// A Vault or `OpenBao` and how to log in.
#[derive(Model)]
pub struct VaultBlock {
    /// URL of the server, with or without `/v1`.
    #[tf(environment(["NAUTES_VAULT_ADDRESS", "VAULT_ADDR"]), validate(server_url()))]
    pub address: Option<String>,
    /// URL by which pods in clusters reach the server; `address` by default. Runtimes may name no other server.
    #[tf(environment(["NAUTES_VAULT_CLUSTER_ADDRESS"]), validate(server_url()))]
    pub cluster_address: Option<String>,
    /// Namespace on the server.
    #[tf(environment(["NAUTES_VAULT_NAMESPACE", "VAULT_NAMESPACE"]))]
    pub namespace: Option<String>,
    /// File with certificates (PEM) of authorities that are trusted in addition to the system's.
    #[tf(environment(["NAUTES_VAULT_CA_FILE", "VAULT_CACERT"]), conflicts_with(["ca_pem"]))]
    pub ca_file: Option<String>,
    /// Certificates (PEM) of authorities that are trusted in addition to the system's.
    #[tf(environment(["NAUTES_VAULT_CA_PEM"]))]
    pub ca_pem: Option<String>,
    /// Whether missing mounts are created; `false` by default.
    #[tf(environment(["NAUTES_VAULT_MANAGE_MOUNTS"]))]
    pub manage_mounts: Option<bool>,
    /// Paths besides the product's own that the credentials of runtimes may name. In the environment variable
    /// there are commas between them.
    #[tf(environment(["NAUTES_VAULT_SHARED_CREDENTIAL_PATHS"]))]
    pub shared_credential_paths: Option<BTreeSet<String>>,
    /// Auth mount of the tenant's cluster; the name of the tenant by default.
    #[tf(environment(["NAUTES_VAULT_AUTH_MOUNT"]))]
    pub auth_mount: Option<String>,
    /// Token, unless one of the ways to log in below is given. Without either, the token that
    /// `vault login` keeps in `~/.vault-token` is used.
    #[tf(sensitive, environment(["NAUTES_VAULT_TOKEN", "VAULT_TOKEN"]))]
    pub token: Option<String>,
    /// Login by `AppRole`.
    #[tf(conflicts_with(["jwt", "kubernetes"]))]
    pub approle: Option<VaultAppRoleBlock>,
    /// Login by a JSON Web Token, such as the workload identity of a remote run.
    #[tf(conflicts_with(["kubernetes"]))]
    pub jwt: Option<VaultJwtBlock>,
    /// Login by the service account of the pod that the provider runs in.
    pub kubernetes: Option<VaultKubernetesBlock>,
}

/// Login by `AppRole`.
#[derive(Model)]
pub struct VaultAppRoleBlock {
    /// Id of the role.
    #[tf(environment(["NAUTES_VAULT_APPROLE_ROLE_ID"]))]
    pub role_id: Option<String>,
    /// Secret id, if the role needs one.
    #[tf(sensitive, environment(["NAUTES_VAULT_APPROLE_SECRET_ID"]))]
    pub secret_id: Option<String>,
    /// Auth mount; `approle` by default.
    #[tf(environment(["NAUTES_VAULT_APPROLE_MOUNT"]))]
    pub mount: Option<String>,
}

/// Login by a JSON Web Token.
#[derive(Model)]
pub struct VaultJwtBlock {
    /// Name of the role.
    #[tf(environment(["NAUTES_VAULT_JWT_ROLE"]))]
    pub role: Option<String>,
    /// Auth mount; `jwt` by default.
    #[tf(environment(["NAUTES_VAULT_JWT_MOUNT"]))]
    pub mount: Option<String>,
    /// The token.
    #[tf(sensitive, environment(["NAUTES_VAULT_JWT_TOKEN"]))]
    pub token: Option<String>,
}

/// Login by a Kubernetes service account.
#[derive(Model)]
pub struct VaultKubernetesBlock {
    /// Name of the role.
    #[tf(environment(["NAUTES_VAULT_KUBERNETES_ROLE"]))]
    pub role: Option<String>,
    /// Auth mount; `kubernetes` by default.
    #[tf(environment(["NAUTES_VAULT_KUBERNETES_MOUNT"]))]
    pub mount: Option<String>,
    /// File with the service account's token; by default the one that a pod has.
    #[tf(environment(["NAUTES_VAULT_KUBERNETES_TOKEN_PATH"]))]
    pub token_path: Option<String>,
}

/// Single sign-on.
#[derive(Model)]
pub struct OidcBlock {
    /// URL of the issuer.
    #[tf(environment(["NAUTES_OIDC_ISSUER"]), validate(server_url()))]
    pub issuer: Option<String>,
    /// Client id of the dashboards.
    #[tf(environment(["NAUTES_OIDC_CLIENT_ID"]))]
    pub client_id: Option<String>,
    /// Client secret of the dashboards.
    #[tf(sensitive, environment(["NAUTES_OIDC_CLIENT_SECRET"]))]
    pub client_secret: Option<String>,
    /// Certificates (PEM) of the issuer's authority.
    #[tf(environment(["NAUTES_OIDC_CA_PEM"]))]
    pub ca_pem: Option<String>,
    /// The claim that lists a user's groups, which decides on membership of a product; by default
    /// `groups_direct` where the issuer is the GitLab of `gitlab.url`, else `groups`.
    #[tf(environment(["NAUTES_OIDC_GROUPS_CLAIM"]))]
    pub groups_claim: Option<String>,
    /// What the issuer puts before the names of groups.
    #[tf(environment(["NAUTES_OIDC_GROUPS_PREFIX"]))]
    pub groups_prefix: Option<String>,
}

/// The tenant's configuration repository.
#[derive(Model)]
pub struct TenantRepositoryBlock {
    /// Full path of its GitLab project.
    #[tf(environment(["NAUTES_TENANT_REPOSITORY_PROJECT"]))]
    pub project: Option<String>,
    /// Branch; `main` by default.
    #[tf(environment(["NAUTES_TENANT_REPOSITORY_BRANCH"]), validate(branch_name()))]
    pub branch: Option<String>,
    /// Whether a missing repository is created with the first cluster; `false` by default. Its group must exist.
    /// A destroy keeps it.
    #[tf(environment(["NAUTES_TENANT_REPOSITORY_CREATE"]))]
    pub create: Option<bool>,
}

/// The tenant's cluster.
#[derive(Model)]
pub struct TenantClusterBlock {
    /// File with the kubeconfig.
    #[tf(environment(["NAUTES_TENANT_CLUSTER_KUBECONFIG_PATH"]))]
    pub kubeconfig_path: Option<String>,
    /// Context in the kubeconfig; its current one by default.
    #[tf(environment(["NAUTES_TENANT_CLUSTER_CONTEXT"]))]
    pub context: Option<String>,
}

/// Commits in configuration repositories.
#[derive(Model)]
pub struct CommitBlock {
    /// Name of the author; `Nautes` by default.
    #[tf(environment(["NAUTES_COMMIT_AUTHOR_NAME"]), validate(not_empty()))]
    pub author_name: Option<String>,
    /// E-mail address of the author; `nautes@example.com` by default.
    #[tf(environment(["NAUTES_COMMIT_AUTHOR_EMAIL"]), validate(not_empty()))]
    pub author_email: Option<String>,
    /// Branch of the products' configuration repositories; `main` by default.
    #[tf(environment(["NAUTES_COMMIT_BRANCH"]), validate(branch_name()))]
    pub branch: Option<String>,
    /// What commit messages begin with, such as `[skip ci]`, or what a push rule demands.
    #[tf(environment(["NAUTES_COMMIT_MESSAGE_PREFIX"]), validate(not_empty()))]
    pub message_prefix: Option<String>,
}

//! From the provider block to the settings, with defaults filled in.

use std::collections::BTreeSet;

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;
use url::Url;

use super::block::{
    CommitBlock, GitLabBlock, OidcBlock, ProviderBlock, TenantRepositoryBlock, VaultAppRoleBlock,
    VaultBlock, VaultJwtBlock, VaultKubernetesBlock,
};
use crate::client::{
    CommitSettings, GitLabSettings, LoginSettings, OidcSettings, Reconciler, Settings,
    VaultSettings,
};
use crate::config_repo::TenantRepository;
use crate::secret::Secret;

impl TryFrom<ProviderBlock> for Settings {
    type Error = Diagnostics;

    fn try_from(block: ProviderBlock) -> Result<Self, Diagnostics> {
        let tenant = block.tenant.unwrap_or_else(|| "nautes".to_owned());
        let code_repo_provider = block.code_repo_provider;
        let gitlab = block.gitlab.map(GitLabSettings::try_from).transpose()?;
        let gitlab = gitlab.unwrap_or_default();
        let reconciler = match block.reconciler.as_deref() {
            Some("nautes") => Reconciler::Nautes,
            _ => Reconciler::Provider,
        };
        check_parent_group(reconciler, &gitlab)?;
        let oidc = block.oidc.map(|block| oidc_settings(block, &gitlab));
        Ok(Self {
            oidc: oidc.transpose()?.flatten(),
            gitlab,
            commit: commit_settings(block.commit),
            reconciler,
            vault: vault_settings(block.vault, &tenant)?,
            code_repo_provider: code_repo_provider.unwrap_or_else(|| "gitlab-nautes".to_owned()),
            tenant,
            tenant_repository: block.tenant_repository.and_then(tenant_repository),
            forgets_unreachable_clusters: block.unreachable_clusters.as_deref() == Some("forget"),
            insecure_skip_check: block.insecure_skip_check.unwrap_or(false),
        })
    }
}

/// Refuses a parent group where Nautes's operators reconcile: they know top-level groups only.
fn check_parent_group(reconciler: Reconciler, gitlab: &GitLabSettings) -> Result<(), Diagnostics> {
    let Some(parent) = &gitlab.parent_group else {
        return Ok(());
    };
    match reconciler {
        Reconciler::Provider => Ok(()),
        Reconciler::Nautes => Err(Diagnostic::error(
            "The operators find no products below a parent group",
            format!("With reconciler = \"nautes\" products must be top-level groups, but gitlab.parent_group is {parent:?}. Leave one of the two out; check the environment variables NAUTES_RECONCILER and NAUTES_GITLAB_PARENT_GROUP too."),
        )
        .at(&Path::to("reconciler"))
        .into()),
    }
}

fn tenant_repository(block: TenantRepositoryBlock) -> Option<TenantRepository> {
    let branch = block.branch.unwrap_or_else(|| "main".to_owned());
    Some(TenantRepository {
        project: block.project?,
        branch,
        create: block.create.unwrap_or(false),
    })
}

impl TryFrom<GitLabBlock> for GitLabSettings {
    type Error = Diagnostics;

    fn try_from(block: GitLabBlock) -> Result<Self, Diagnostics> {
        let trimmed = |path: String| path.trim_matches('/').to_owned();
        Ok(Self {
            url: block.url,
            token: block.token.map(Secret::from),
            parent_group: block
                .parent_group
                .map(trimmed)
                .filter(|path| !path.is_empty()),
            ca_pem: ca_pem("gitlab", block.ca_pem, block.ca_file)?,
            ssh_known_hosts: block.ssh_known_hosts,
        })
    }
}

/// Returns how users of dashboards log in; `None` if nothing is set.
fn oidc_settings(
    block: OidcBlock,
    gitlab: &GitLabSettings,
) -> Result<Option<OidcSettings>, Diagnostics> {
    let OidcBlock {
        issuer,
        client_id,
        client_secret,
        ca_pem,
        groups_claim,
        groups_prefix,
    } = block;
    let others = [&ca_pem, &groups_claim, &groups_prefix];
    let needed = [&issuer, &client_id, &client_secret];
    if needed
        .iter()
        .chain(&others)
        .all(|argument| argument.is_none())
    {
        return Ok(None);
    }
    let (Some(issuer), Some(client_id), Some(client_secret)) =
        (&issuer, &client_id, &client_secret)
    else {
        let names = ["issuer", "client_id", "client_secret"].into_iter();
        let missing = names
            .zip(needed)
            .filter(|(_, argument)| argument.is_none())
            .map(|(name, _)| format!("oidc.{name}"));
        let missing: Vec<String> = missing.collect();
        let detail = format!(
            "Single sign-on needs an issuer and a client that is registered there, but {} is not set. Set it in the provider block, or in the environment variable of its name, such as NAUTES_OIDC_CLIENT_ID; or remove oidc.",
            missing.join(", ")
        );
        let error = Diagnostic::error("The settings of single sign-on are not complete", detail);
        return Err(error.at(&Path::to("oidc")).into());
    };
    let host = |text: &str| {
        let url = Url::parse(text).ok()?;
        url.host_str().map(str::to_owned)
    };
    let is_gitlab = gitlab.url.as_deref().and_then(host) == host(issuer);
    let claim = if is_gitlab { "groups_direct" } else { "groups" };
    Ok(Some(OidcSettings {
        issuer: issuer.clone(),
        client_id: client_id.clone(),
        client_secret: Secret::from(client_secret.clone()),
        ca_pem,
        groups_claim: groups_claim.unwrap_or_else(|| claim.to_owned()),
        groups_prefix: groups_prefix.unwrap_or_default(),
    }))
}

/// Returns the certificates of private authorities; `block` is the block with the arguments.
fn ca_pem(
    block: &str,
    pem: Option<String>,
    file: Option<String>,
) -> Result<Option<String>, Diagnostics> {
    let Some(file) = file.filter(|_| pem.is_none()) else {
        return Ok(pem);
    };
    let read = std::fs::read_to_string(&file);
    read.map(Some).map_err(|error| {
        let detail = format!(
            "The provider argument {block}.ca_file names {file:?}, which cannot be read: {error}. Name an existing file; a relative path starts at the folder in which Terraform runs."
        );
        Diagnostic::error("The certificates of the authority cannot be read", detail)
            .at(&Path::to(block).attribute("ca_file"))
            .into()
    })
}

fn commit_settings(block: Option<CommitBlock>) -> CommitSettings {
    let block = block.unwrap_or(CommitBlock {
        author_name: None,
        author_email: None,
        branch: None,
        message_prefix: None,
    });
    CommitSettings {
        author_name: block.author_name.unwrap_or_else(|| "Nautes".to_owned()),
        author_email: block
            .author_email
            .unwrap_or_else(|| "nautes@example.com".to_owned()),
        branch: block.branch.unwrap_or_else(|| "main".to_owned()),
        message_prefix: block.message_prefix,
    }
}

fn vault_settings(block: Option<VaultBlock>, tenant: &str) -> Result<VaultSettings, Diagnostics> {
    let Some(block) = block else {
        return Ok(VaultSettings {
            address: None,
            cluster_address: None,
            namespace: None,
            ca_pem: None,
            manage_mounts: false,
            shared_credential_paths: BTreeSet::new(),
            login: LoginSettings::Token(None),
            auth_mount: tenant.to_owned(),
        });
    };
    // VAULT_CACERT may name a file for another use, where no Vault is configured.
    let ca_file = block.ca_file.filter(|_| block.address.is_some());
    let login = login_settings(block.approle, block.jwt, block.kubernetes);
    let token = block.token.map(Secret::from);
    Ok(VaultSettings {
        ca_pem: ca_pem("vault", block.ca_pem, ca_file)?,
        cluster_address: block
            .cluster_address
            .as_ref()
            .or(block.address.as_ref())
            .map(|address| server_root(address)),
        address: block.address,
        namespace: block.namespace.filter(|namespace| !namespace.is_empty()),
        manage_mounts: block.manage_mounts.unwrap_or(false),
        shared_credential_paths: block.shared_credential_paths.unwrap_or_default(),
        login: login.unwrap_or(LoginSettings::Token(token)),
        auth_mount: block.auth_mount.unwrap_or_else(|| tenant.to_owned()),
    })
}

/// Returns the address of a server without the path of its API, as pods take it.
fn server_root(address: &str) -> String {
    let address = address.trim_end_matches('/');
    let root = address.strip_suffix("/v1").unwrap_or(address);
    root.trim_end_matches('/').to_owned()
}

/// Returns the auth method that is configured, if any. The schema excludes two of them, and a
/// block in the configuration excludes those in the environment.
fn login_settings(
    approle: Option<VaultAppRoleBlock>,
    jwt: Option<VaultJwtBlock>,
    kubernetes: Option<VaultKubernetesBlock>,
) -> Option<LoginSettings> {
    let mount = |configured: Option<String>, method: &str| {
        let configured = configured.map(|mount| mount.trim_matches('/').to_owned());
        configured.unwrap_or_else(|| method.to_owned())
    };
    let approle = approle.map(|block| LoginSettings::AppRole {
        mount: mount(block.mount, "approle"),
        role_id: block.role_id,
        secret_id: block.secret_id.map(Secret::from),
    });
    let jwt = jwt.map(|block| LoginSettings::Jwt {
        mount: mount(block.mount, "jwt"),
        role: block.role,
        token: block.token.map(Secret::from),
    });
    let kubernetes = kubernetes.map(|block| LoginSettings::Kubernetes {
        mount: mount(block.mount, "kubernetes"),
        role: block.role,
        token_path: block.token_path,
    });
    approle.or(jwt).or(kubernetes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(jwt: Option<VaultJwtBlock>) -> VaultBlock {
        VaultBlock {
            cluster_address: None,
            address: Some("https://vault.example.com".to_owned()),
            namespace: None,
            ca_file: None,
            ca_pem: None,
            manage_mounts: None,
            auth_mount: None,
            shared_credential_paths: None,
            token: Some("configured".to_owned()),
            approle: None,
            jwt,
            kubernetes: None,
        }
    }

    #[test]
    fn pods_get_the_address_of_the_server_without_the_path_of_its_api() {
        for (address, cluster_address, expected) in [
            (
                "https://vault.example.com/v1/",
                None,
                "https://vault.example.com",
            ),
            (
                "https://vault.example.com/",
                None,
                "https://vault.example.com",
            ),
            (
                "https://10.0.0.1:8200",
                Some("https://vault.svc:8200/v1"),
                "https://vault.svc:8200",
            ),
        ] {
            let block = VaultBlock {
                address: Some(address.to_owned()),
                cluster_address: cluster_address.map(str::to_owned),
                ..vault(None)
            };
            let settings = vault_settings(Some(block), "acme").unwrap();
            assert_eq!(settings.cluster_address.as_deref(), Some(expected));
        }
    }

    #[test]
    fn mounts_have_their_defaults() {
        let jwt = VaultJwtBlock {
            role: None,
            mount: None,
            token: None,
        };
        let settings = vault_settings(Some(vault(Some(jwt))), "acme").unwrap();
        assert_eq!(settings.auth_mount, "acme");
        assert!(matches!(settings.login, LoginSettings::Jwt { mount, .. } if mount == "jwt"));
    }

    #[test]
    fn a_missing_file_of_certificates_is_an_error_of_its_argument_before_anything_is_contacted() {
        let block = VaultBlock {
            ca_file: Some("missing.pem".to_owned()),
            ..vault(None)
        };
        let found = vault_settings(Some(block), "acme").unwrap_err();
        let found = found.iter().next().unwrap();
        assert_eq!(found.path, Some(Path::to("vault").attribute("ca_file")));
        assert!(found.detail.contains("\"missing.pem\""), "{}", found.detail);
    }

    #[test]
    fn the_groups_of_a_user_are_in_the_claim_of_the_issuer() {
        let gitlab = GitLabSettings {
            url: Some("https://gitlab.example.com/api/v4".to_owned()),
            ..GitLabSettings::default()
        };
        let claim = |issuer: &str, chosen: Option<&str>| {
            let block = OidcBlock {
                issuer: Some(issuer.to_owned()),
                client_id: Some("nautes".to_owned()),
                client_secret: Some("s3cr3t".to_owned()),
                ca_pem: None,
                groups_claim: chosen.map(str::to_owned),
                groups_prefix: None,
            };
            let settings = oidc_settings(block, &gitlab).unwrap().unwrap();
            settings.groups_claim
        };
        assert_eq!(claim("https://gitlab.example.com", None), "groups_direct");
        assert_eq!(claim("https://dex.example.com", None), "groups");
        assert_eq!(claim("https://dex.example.com", Some("teams")), "teams");
    }

    #[test]
    fn a_token_is_used_only_without_an_auth_method() {
        let settings = vault_settings(Some(vault(None)), "acme").unwrap();
        assert!(matches!(settings.login, LoginSettings::Token(Some(_))));
    }
}

//! The settings of one provider configuration, with defaults filled in.

use nautes_model::installation::Installation;
use serde::{Deserialize, Serialize};

use super::vault::VaultSettings;
use crate::config_repo::TenantRepository;
use crate::secret::Secret;

/// The settings of one provider configuration.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) gitlab: GitLabSettings,
    pub(crate) commit: CommitSettings,
    pub(crate) reconciler: Reconciler,
    pub(crate) vault: VaultSettings,
    pub(crate) code_repo_provider: String,
    pub(crate) tenant: String,
    pub(crate) tenant_repository: Option<TenantRepository>,
    /// Whether a destroy goes on without a cluster that cannot be reached.
    pub(crate) forgets_unreachable_clusters: bool,
    pub(crate) insecure_skip_check: bool,
    /// Single sign-on of the dashboards.
    pub(crate) oidc: Option<OidcSettings>,
}

/// Single sign-on of the dashboards.
#[derive(Clone, Debug)]
pub(crate) struct OidcSettings {
    /// The issuer of tokens.
    pub(crate) issuer: String,
    /// The client that is registered there.
    pub(crate) client_id: String,
    /// Its secret.
    pub(crate) client_secret: Secret,
    /// Certificates (PEM) of a private authority that signs the issuer's certificate.
    pub(crate) ca_pem: Option<String>,
    /// The claim that lists a user's groups.
    pub(crate) groups_claim: String,
    /// What API servers put in front of the names of groups; may be empty.
    pub(crate) groups_prefix: String,
}

/// Which program makes the runtime objects in the clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reconciler {
    /// This provider.
    Provider,
    /// The operators of a Nautes installation.
    Nautes,
}

#[derive(Debug, Default)]
pub(crate) struct GitLabSettings {
    pub(crate) url: Option<String>,
    pub(crate) token: Option<Secret>,
    /// The full path of the group that products are made in; `None` for the top level.
    pub(crate) parent_group: Option<String>,
    /// Certificates (PEM) of authorities that are trusted besides the system's.
    pub(crate) ca_pem: Option<String>,
    /// The host keys of the GitLab in the format of `known_hosts`.
    pub(crate) ssh_known_hosts: Option<String>,
}

#[derive(Debug)]
pub(crate) struct CommitSettings {
    pub(crate) author_name: String,
    pub(crate) author_email: String,
    pub(crate) branch: String,
    pub(crate) message_prefix: Option<String>,
}

impl Settings {
    /// Whether the operators of a Nautes installation make the runtime objects.
    pub(crate) fn nautes_reconciles(&self) -> bool {
        self.reconciler == Reconciler::Nautes
    }

    /// Returns what files for a Nautes installation say; `None` if there is none.
    pub(crate) fn installation(&self) -> Option<Installation> {
        self.nautes_reconciles().then(|| {
            let url = self.gitlab.url.as_deref().unwrap_or_default();
            let url = url.trim_end_matches('/').trim_end_matches("/api/v4");
            let oidc = self.oidc.as_ref();
            let text = |text: Option<&String>| text.cloned().unwrap_or_default();
            Installation {
                tenant: self.tenant.clone(),
                repository_url: String::new(),
                git_url: url.to_owned(),
                git_ca_pem: text(self.gitlab.ca_pem.as_ref()),
                vault_url: text(self.vault.address.as_ref()),
                vault_ca_pem: text(self.vault.ca_pem.as_ref()),
                issuer: text(oidc.map(|oidc| &oidc.issuer)),
                client_id: text(oidc.map(|oidc| &oidc.client_id)),
                issuer_ca_pem: text(oidc.and_then(|oidc| oidc.ca_pem.as_ref())),
            }
        })
    }
}

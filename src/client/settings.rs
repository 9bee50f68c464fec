//! The settings of one provider configuration, with defaults filled in.

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

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
    pub(crate) insecure_skip_check: bool,
}

/// Which program makes the runtime objects in the clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    pub(crate) authority: Option<CertificateAuthority>,
}

/// Certificates of authorities that are trusted in addition to the system's.
#[derive(Debug)]
pub(crate) enum CertificateAuthority {
    /// The path of a PEM file.
    File(String),
    /// The PEM text itself.
    Pem(String),
}

#[derive(Debug)]
pub(crate) struct CommitSettings {
    pub(crate) author_name: String,
    pub(crate) author_email: String,
    pub(crate) branch: String,
}

impl Settings {
    /// Whether the operators of a Nautes installation make the runtime objects.
    pub(crate) fn nautes_reconciles(&self) -> bool {
        self.reconciler == Reconciler::Nautes
    }
}

impl CertificateAuthority {
    /// Takes the text if there is one, else the file.
    pub(crate) fn new(pem: Option<String>, file: Option<String>) -> Option<Self> {
        pem.map(Self::Pem).or(file.map(Self::File))
    }

    /// Returns the certificates. `argument` is the provider argument that names the file.
    pub(super) fn pem(&self, argument: &str) -> Result<String, Diagnostics> {
        match self {
            Self::Pem(pem) => Ok(pem.clone()),
            Self::File(file) => std::fs::read_to_string(file).map_err(|error| {
                Diagnostic::error(
                    "The authority's certificates cannot be read",
                    format!("The provider argument {argument} names {file}: {error}."),
                )
                .into()
            }),
        }
    }
}

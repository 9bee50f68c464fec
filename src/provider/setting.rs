//! The provider block with its defaults, as the rest of the provider reads it.

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use super::block::{CommitBlock, GitLabBlock, ProviderBlock, TenantRepositoryBlock};
use crate::config_repo::TenantRepository;
use crate::secret::Secret;

/// What the user decided, or the defaults.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) gitlab: GitLabSettings,
    pub(crate) commit: CommitSettings,
    pub(crate) tenant: String,
    pub(crate) tenant_repository: Option<TenantRepository>,
    pub(crate) insecure_skip_check: bool,
}

#[derive(Debug, Default)]
pub(crate) struct GitLabSettings {
    pub(crate) url: Option<String>,
    pub(crate) token: Option<Secret>,
    pub(crate) parent_group: Option<String>,
    pub(crate) authority: Option<Authority>,
}

/// Certificates of authorities that are trusted besides the system's.
#[derive(Debug)]
pub(crate) enum Authority {
    File(String),
    Pem(String),
}

#[derive(Debug)]
pub(crate) struct CommitSettings {
    pub(crate) author_name: String,
    pub(crate) author_email: String,
    pub(crate) branch: String,
}

impl Settings {
    pub(crate) fn of(block: ProviderBlock) -> Result<Self, Diagnostics> {
        let settings = Self {
            gitlab: block.gitlab.map(GitLabSettings::of).unwrap_or_default(),
            commit: CommitSettings::of(block.commit),
            tenant: block.tenant.unwrap_or_else(|| "nautes".to_owned()),
            tenant_repository: block.tenant_repository.and_then(tenant_repository),
            insecure_skip_check: block.insecure_skip_check.unwrap_or(false),
        };
        if block.reconciler.as_deref() == Some("nautes") {
            let path = Path::to("reconciler");
            return Err(Diagnostic::error(
                "The operators' mode is not available",
                "This version of the provider does not support reconciler = \"nautes\" yet. Leave the argument out, or set it to \"provider\".",
            )
            .at(&path)
            .into());
        }
        Ok(settings)
    }
}

fn tenant_repository(block: TenantRepositoryBlock) -> Option<TenantRepository> {
    let branch = block.branch.unwrap_or_else(|| "main".to_owned());
    Some(TenantRepository {
        project: block.project?,
        branch,
    })
}

impl GitLabSettings {
    fn of(block: GitLabBlock) -> Self {
        let trimmed = |path: String| path.trim_matches('/').to_owned();
        Self {
            url: block.url,
            token: block.token.map(Secret::from),
            parent_group: block
                .parent_group
                .map(trimmed)
                .filter(|path| !path.is_empty()),
            authority: block
                .ca_pem
                .map(Authority::Pem)
                .or(block.ca_file.map(Authority::File)),
        }
    }
}

impl CommitSettings {
    fn of(block: Option<CommitBlock>) -> Self {
        let block = block.unwrap_or(CommitBlock {
            author_name: None,
            author_email: None,
            branch: None,
        });
        Self {
            author_name: block.author_name.unwrap_or_else(|| "Nautes".to_owned()),
            author_email: block
                .author_email
                .unwrap_or_else(|| "nautes@example.com".to_owned()),
            branch: block.branch.unwrap_or_else(|| "main".to_owned()),
        }
    }
}

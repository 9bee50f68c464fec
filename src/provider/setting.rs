//! The provider block with its defaults, as the rest of the provider reads it.

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use super::block::{CommitBlock, GitLabBlock, ProviderBlock, TenantRepositoryBlock};
use super::vault::VaultSettings;
use crate::config_repo::TenantRepository;
use crate::secret::Secret;

/// What the user decided, or the defaults.
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

/// Who makes the runtime objects in the clusters.
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
        let tenant = block.tenant.unwrap_or_else(|| "nautes".to_owned());
        let code_repo_provider = block.code_repo_provider;
        let gitlab = block.gitlab.map(GitLabSettings::of).unwrap_or_default();
        let reconciler = Reconciler::of(block.reconciler.as_deref());
        check_parent_group(reconciler, &gitlab)?;
        Ok(Self {
            gitlab,
            commit: CommitSettings::of(block.commit),
            reconciler,
            vault: VaultSettings::of(block.vault, &tenant),
            code_repo_provider: code_repo_provider.unwrap_or_else(|| "gitlab-nautes".to_owned()),
            tenant,
            tenant_repository: block.tenant_repository.and_then(tenant_repository),
            insecure_skip_check: block.insecure_skip_check.unwrap_or(false),
        })
    }

    /// Whether the operators of a Nautes installation make the runtime objects.
    pub(crate) fn nautes_reconciles(&self) -> bool {
        self.reconciler == Reconciler::Nautes
    }
}

impl Reconciler {
    fn of(argument: Option<&str>) -> Self {
        match argument {
            Some("nautes") => Self::Nautes,
            _ => Self::Provider,
        }
    }
}

/// Refuses a place of products in which the operators, who know top-level groups alone, find none.
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

impl Authority {
    /// Takes the text if there is one, else the file.
    pub(super) fn of(pem: Option<String>, file: Option<String>) -> Option<Self> {
        pem.map(Self::Pem).or(file.map(Self::File))
    }

    /// The certificates; `argument` is the one that names the file.
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
            authority: Authority::of(block.ca_pem, block.ca_file),
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

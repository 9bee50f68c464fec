//! What resources share: clients that are made when the first resource needs them.

use std::sync::{Arc, OnceLock};

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use tokio::sync::OnceCell;

use super::block::ProviderBlock;
use super::setting::Settings;
use super::vault::Surroundings;
use crate::backends::gitlab::{GitLab, Group, Limits, Options, SetupError};
use crate::backends::vault::Vault;
use crate::config_repo::{self, Author, Repositories};
use crate::credentials::Credentials;
use crate::diagnostics::{Attempted as _, causes};
use crate::resources::{CodeRepos, Products};

/// What resources share during one run.
pub struct Client {
    settings: Settings,
    gitlab: OnceLock<GitLab>,
    vault: OnceLock<Vault>,
    config_repositories: OnceLock<Arc<Repositories>>,
    credentials: OnceLock<Credentials>,
    parent_group: OnceCell<Option<Group>>,
    products: Products,
    code_repos: CodeRepos,
}

impl Client {
    /// Reads the provider block; nothing is contacted.
    pub fn new(block: ProviderBlock) -> Result<Self, Diagnostics> {
        Ok(Self {
            settings: Settings::of(block)?,
            gitlab: OnceLock::new(),
            vault: OnceLock::new(),
            config_repositories: OnceLock::new(),
            credentials: OnceLock::new(),
            parent_group: OnceCell::new(),
            products: Products::default(),
            code_repos: CodeRepos::default(),
        })
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The products that this process has come across.
    pub(crate) fn products(&self) -> &Products {
        &self.products
    }

    /// The code repositories that this process has come across.
    pub(crate) fn code_repos(&self) -> &CodeRepos {
        &self.code_repos
    }

    /// The client of GitLab.
    pub(crate) fn gitlab(&self) -> Result<&GitLab, Diagnostics> {
        if let Some(gitlab) = self.gitlab.get() {
            return Ok(gitlab);
        }
        let gitlab = self.connect_gitlab()?;
        Ok(self.gitlab.get_or_init(|| gitlab))
    }

    fn connect_gitlab(&self) -> Result<GitLab, Diagnostics> {
        let settings = &self.settings.gitlab;
        let url = settings.url.clone().ok_or_else(|| {
            not_configured("GitLab", "gitlab.url", "NAUTES_GITLAB_URL, GITLAB_BASE_URL")
        })?;
        let token = settings.token.clone().ok_or_else(|| {
            not_configured(
                "GitLab",
                "gitlab.token",
                "NAUTES_GITLAB_TOKEN, GITLAB_TOKEN",
            )
        })?;
        let authority = settings.authority.as_ref();
        let ca_pem = authority.map(|authority| authority.pem("gitlab.ca_file"));
        let ca_pem = ca_pem.transpose()?;
        let options = Options {
            url,
            token,
            ca_pem,
            limits: Limits::default(),
        };
        GitLab::new(&options).map_err(|error| {
            let argument = match error {
                SetupError::Token(_) => "gitlab.token",
                SetupError::Authority(_) => "gitlab.ca_file or ca_pem",
                SetupError::Url(_) | SetupError::Client(_) => "gitlab.url",
            };
            let text = format!(
                "The provider argument {argument} is wrong: {}.",
                causes(&error)
            );
            Diagnostic::error("GitLab cannot be used", text).into()
        })
    }

    /// The client of Vault; nothing is sent until it is used.
    pub fn vault(&self) -> Result<&Vault, Diagnostics> {
        if let Some(vault) = self.vault.get() {
            return Ok(vault);
        }
        let vault = self.settings.vault.connect(&Surroundings::of_process())?;
        Ok(self.vault.get_or_init(|| vault))
    }

    /// The products' configuration repositories.
    pub(crate) fn config_repositories(&self) -> Result<&Arc<Repositories>, Diagnostics> {
        if let Some(repositories) = self.config_repositories.get() {
            return Ok(repositories);
        }
        let gitlab = self.gitlab()?.clone();
        let commit = &self.settings.commit;
        let author = Author {
            name: Some(commit.author_name.clone()),
            email: Some(commit.author_email.clone()),
        };
        let options = config_repo::Options {
            branch: commit.branch.clone(),
            author,
            tenant_repository: self.settings.tenant_repository.clone(),
            tenant: Some(self.settings.tenant.clone()),
            nautes_reconciles: self.settings.nautes_reconciles(),
        };
        Ok(self
            .config_repositories
            .get_or_init(|| Arc::new(Repositories::new(gitlab, options))))
    }

    /// The credentials of code repositories.
    pub(crate) fn credentials(&self) -> Result<&Credentials, Diagnostics> {
        if let Some(credentials) = self.credentials.get() {
            return Ok(credentials);
        }
        let (gitlab, vault) = (self.gitlab()?.clone(), self.vault()?.clone());
        let repositories = Arc::clone(self.config_repositories()?);
        Ok(self
            .credentials
            .get_or_init(|| Credentials::new(gitlab, vault, repositories)))
    }

    /// The group below which products are made; `None` for the top level.
    pub(crate) async fn parent_group(&self) -> Result<Option<&Group>, Diagnostics> {
        let read = async || {
            let Some(path) = &self.settings.gitlab.parent_group else {
                return Ok(None);
            };
            let group = self.gitlab()?.group(path.as_str()).await;
            let attempt = format!("read the parent group {path} of the products");
            group.attempted(attempt).map(Some)
        };
        Ok(self.parent_group.get_or_try_init(read).await?.as_ref())
    }

    /// The full path of a product, given its name.
    pub(crate) fn product_path(&self, name: &str) -> String {
        match &self.settings.gitlab.parent_group {
            Some(parent) => format!("{parent}/{name}"),
            None => name.to_owned(),
        }
    }
}

/// Says which argument is missing, and which variables could stand in for it.
pub(super) fn not_configured(server: &str, argument: &str, variables: &str) -> Diagnostic {
    let variables = if variables.contains(", ") {
        format!("one of the environment variables {variables}")
    } else {
        format!("the environment variable {variables}")
    };
    Diagnostic::error(
        format!("{server} is not configured"),
        format!(
            "The provider argument {argument} is missing. Set it in the provider block, or set {variables}."
        ),
    )
}

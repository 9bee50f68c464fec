//! What resources share during one run: settings, back ends and look-ups, each made when it is
//! first needed.

mod clusters;
mod courtesy;
mod settings;
mod throttling;
mod vault;

use std::future::Future;
use std::sync::{Arc, OnceLock};

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

pub(crate) use self::settings::{
    CommitSettings, GitLabSettings, OidcSettings, Reconciler, Settings,
};
pub(crate) use self::vault::{LoginSettings, VaultSettings};

use self::clusters::Clusters;
use self::courtesy::Courtesy;
use self::throttling::{GITLAB_REMEDY, Throttling, VAULT_REMEDY};
use self::vault::ProcessEnv;
use crate::backends::download::Downloader;
use crate::backends::gitlab::{GitLab, Limits, Options, SetupError, UserAgent};
use crate::backends::vault::Vault;
use crate::claim::Holders;
use crate::config_repo::{self, CommitOptions, Repositories};
use crate::credentials::Credentials;
use crate::diagnostics::Context as _;
use crate::error_chain::error_chain;
use crate::lookup::{CodeRepos, Products, Worker, WorkerError, Workers};
use crate::planned::Planned;
use crate::wait_graph::WaitGraph;
use nautes_model::EntityName;
use nautes_model::vault::GIT_MOUNT;

/// What resources share during one run.
pub struct Client {
    settings: Settings,
    user_agent: UserAgent,
    wait_graph: WaitGraph,
    holders: Holders,
    planned: Planned,
    courtesy: Courtesy,
    throttling_of_gitlab: Throttling,
    throttling_of_vault: Throttling,
    gitlab: OnceLock<GitLab>,
    vault: OnceLock<Vault>,
    downloader: OnceLock<Downloader>,
    clusters: Clusters,
    config_repositories: OnceLock<Arc<Repositories>>,
    credentials: OnceLock<Credentials>,
    products: OnceLock<Arc<Products>>,
    code_repos: OnceLock<CodeRepos>,
    workers: Workers,
}

impl Client {
    /// Makes a client; nothing is contacted.
    pub(crate) fn new(settings: Settings, user_agent: UserAgent) -> Self {
        Self {
            settings,
            user_agent,
            wait_graph: WaitGraph::default(),
            holders: Holders::default(),
            planned: Planned::default(),
            courtesy: Courtesy::default(),
            throttling_of_gitlab: Throttling::new("GitLab", GITLAB_REMEDY),
            throttling_of_vault: Throttling::new("Vault", VAULT_REMEDY),
            gitlab: OnceLock::new(),
            vault: OnceLock::new(),
            downloader: OnceLock::new(),
            clusters: Clusters::default(),
            config_repositories: OnceLock::new(),
            credentials: OnceLock::new(),
            products: OnceLock::new(),
            code_repos: OnceLock::new(),
            workers: Workers::default(),
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The requests in flight and what they wait for.
    pub(crate) fn wait_graph(&self) -> &WaitGraph {
        &self.wait_graph
    }

    /// Which instance in a state holds which object.
    pub(crate) fn holders(&self) -> &Holders {
        &self.holders
    }

    /// What this process has planned so far.
    pub(crate) fn planned(&self) -> &Planned {
        &self.planned
    }

    /// Waits for an answer that a plan can do without; `None` if there is none within seconds.
    pub(crate) async fn ask<T>(&self, question: impl Future<Output = T>) -> Option<T> {
        self.courtesy.ask(question).await
    }

    /// Returns a warning if rate limits have delayed the run, unless the user was warned before.
    pub(crate) fn report(&self) -> Option<Diagnostic> {
        let gitlab = self.gitlab.get().map(GitLab::held_for).unwrap_or_default();
        let vault = self.vault.get().map(Vault::held_for).unwrap_or_default();
        let of_gitlab = self.throttling_of_gitlab.report(gitlab);
        of_gitlab.or_else(|| self.throttling_of_vault.report(vault))
    }

    /// The client of GitLab; nothing is sent until it is used.
    pub(crate) fn gitlab(&self) -> Result<&GitLab, Diagnostics> {
        get_or_try_init(&self.gitlab, || self.connect_gitlab())
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
        let options = Options {
            url,
            token,
            ca_pem: settings.ca_pem.clone(),
            limits: Limits::default(),
        };
        let gitlab = GitLab::with_user_agent(&options, &self.user_agent);
        gitlab.map_err(|error| wrong_argument("GitLab", "gitlab", "url", &error).into())
    }

    /// The client of Vault; nothing is sent until it is used.
    pub fn vault(&self) -> Result<&Vault, Diagnostics> {
        let env = ProcessEnv::load;
        get_or_try_init(&self.vault, || {
            let settings = &self.settings.vault;
            settings.connect(&env(), &self.user_agent)
        })
    }

    /// The client for downloads; nothing is sent until it is used.
    pub(crate) fn downloader(&self) -> &Downloader {
        self.downloader
            .get_or_init(|| Downloader::new(&Limits::default()))
    }

    /// The connections to clusters.
    pub(crate) fn clusters(&self) -> &Clusters {
        &self.clusters
    }

    /// Checks that Vault is configured and has the mount of repositories' secrets, before anything
    /// is written anywhere.
    pub(crate) async fn require_vault(&self) -> Result<(), Diagnostics> {
        let mounted = self.vault()?.ensure_mount(GIT_MOUNT).await;
        mounted.with_context(|| format!("use the secrets engine {GIT_MOUNT} of Vault"))
    }

    /// The configuration repositories.
    pub(crate) fn config_repositories(&self) -> Result<&Arc<Repositories>, Diagnostics> {
        get_or_try_init(&self.config_repositories, || {
            let commit = &self.settings.commit;
            let options = config_repo::Options {
                branch: commit.branch.clone(),
                commit: CommitOptions {
                    author_name: Some(commit.author_name.clone()),
                    author_email: Some(commit.author_email.clone()),
                    message_prefix: commit.message_prefix.clone(),
                },
                tenant_repository: self.settings.tenant_repository.clone(),
                tenant: Some(self.settings.tenant.clone()),
                nautes_reconciles: self.settings.nautes_reconciles(),
                installation: self.settings.installation(),
            };
            let (gitlab, graph) = (self.gitlab()?.clone(), self.wait_graph.clone());
            Ok(Arc::new(Repositories::new(gitlab, options, graph)))
        })
    }

    /// The credentials of code repositories.
    pub(crate) fn credentials(&self) -> Result<&Credentials, Diagnostics> {
        get_or_try_init(&self.credentials, || {
            let (gitlab, vault) = (self.gitlab()?.clone(), self.vault()?.clone());
            let repositories = Arc::clone(self.config_repositories()?);
            Ok(Credentials::new(gitlab, vault, repositories))
        })
    }

    /// The products that this process has looked up.
    pub(crate) fn products(&self) -> Result<&Arc<Products>, Diagnostics> {
        get_or_try_init(&self.products, || {
            let parent = self.settings.gitlab.parent_group.clone();
            Ok(Arc::new(Products::new(self.gitlab()?.clone(), parent)))
        })
    }

    /// The code repositories that this process has looked up.
    pub(crate) fn code_repos(&self) -> Result<&CodeRepos, Diagnostics> {
        get_or_try_init(&self.code_repos, || {
            let gitlab = self.gitlab()?.clone();
            let products = Arc::clone(self.products()?);
            let repositories = Arc::clone(self.config_repositories()?);
            Ok(CodeRepos::new(gitlab, products, repositories))
        })
    }

    /// Connects to a worker with the credential of runtimes.
    pub(crate) async fn worker(&self, name: &EntityName) -> Result<Arc<Worker>, WorkerError> {
        self.workers.get(self.vault()?, name).await
    }
}

/// Initializes a cell that is empty; of concurrent callers the first wins.
fn get_or_try_init<T, E>(cell: &OnceLock<T>, init: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = init()?;
    Ok(cell.get_or_init(|| value))
}

/// Names the argument of a block that a client cannot be made with.
fn wrong_argument(server: &str, block: &str, address: &str, error: &SetupError) -> Diagnostic {
    let argument = match error {
        SetupError::Header { name, .. } => name,
        SetupError::Ca(_) => "ca_file or ca_pem",
        SetupError::Address(_) | SetupError::Client(_) => address,
    };
    Diagnostic::error(
        format!("{server} cannot be used"),
        format!(
            "The provider argument {block}.{argument} is wrong: {}.",
            error_chain(error)
        ),
    )
}

/// Names the missing argument, and the environment variables that can stand in for it.
fn not_configured(server: &str, argument: &str, variables: &str) -> Diagnostic {
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

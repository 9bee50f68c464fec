//! One process: a sequence of runs, like those of Terraform, with ten parallel writers each.

mod writer;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::future::try_join_all;
use nautes_model::ProductId;
use serde::{Deserialize, Serialize};
use terraform_provider_nautes::backends::gitlab::{
    self, GitLab, Limits, NewGroup, NewProject, Visibility,
};
use terraform_provider_nautes::config_repo::{CommitOptions, Options, Repositories, Repository};
use terraform_provider_nautes::wait_graph::WaitGraph;
use testbed::Emulator;

use self::writer::Writer;
use super::write_log::WriteLog;
use super::{FINISH_LIMIT, WORK_TIME};
use crate::test_env::Case;

/// The environment variable with the options of a process.
const VARIABLE: &str = "NAUTES_TEST_WRITERS_PROCESS";

const WRITERS: usize = 10;

/// In the last runs writers wait for every write, so that none is pending when the process ends.
const NO_CANCELLATION_TIME: Duration = Duration::from_secs(5);

/// The options of a process.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ProcessOptions {
    url: String,
    token: String,
    product: ProductId,
    project: u64,
    label: String,
    seed: u64,
    /// The file for its log.
    pub(crate) log: PathBuf,
}

impl ProcessOptions {
    /// Reads the options of this process; `None` if it is not a child process.
    pub(crate) fn from_env() -> anyhow::Result<Option<Self>> {
        match env::var(VARIABLE) {
            Ok(text) => Ok(Some(serde_json::from_str(&text)?)),
            Err(_) => Ok(None),
        }
    }

    /// Returns the environment variable for a child process.
    pub(crate) fn to_env(&self) -> anyhow::Result<(&'static str, String)> {
        Ok((VARIABLE, serde_json::to_string(self)?))
    }

    /// Returns the product of the repository.
    pub(crate) fn product(&self) -> ProductId {
        self.product
    }

    fn gitlab(&self) -> anyhow::Result<GitLab> {
        client(&self.url, &self.token)
    }
}

fn client(url: &str, token: &str) -> anyhow::Result<GitLab> {
    // Fails if there is a default already, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let limits = Limits {
        request: Duration::from_secs(20),
        call: Duration::from_secs(40),
        first_retry: Duration::from_millis(20),
        ..Limits::default()
    };
    Ok(GitLab::new(&gitlab::Options {
        url: url.to_owned(),
        token: token.into(),
        ca_pem: None,
        limits,
    })?)
}

/// Creates the product, and returns the options of the processes.
pub(crate) fn prepare(
    emulator: &Emulator,
    seed: u64,
    processes: usize,
    folder: &Path,
) -> anyhow::Result<Vec<ProcessOptions>> {
    let gitlab = client(emulator.url(), emulator.root_token())?;
    let group = NewGroup {
        name: "Shop".to_owned(),
        path: "shop".to_owned(),
        parent_id: None,
        description: String::new(),
        visibility: Visibility::Private,
    };
    let (group, project) = tokio::runtime::Runtime::new()?.block_on(async {
        let group = gitlab.create_group(&group).await?;
        let project = NewProject {
            name: "default.project".to_owned(),
            path: "default.project".to_owned(),
            namespace_id: group.id,
            description: String::new(),
            visibility: Visibility::Private,
            default_branch: Some("main".to_owned()),
            initialize_with_readme: true,
        };
        let project = gitlab.create_project(&project).await?;
        let product = ProductId::new(group.id);
        let repositories = repositories(gitlab);
        let repository = repositories.product(product, project.id);
        repository.initialize().await?;
        anyhow::Ok((group, project))
    })?;
    let options = |number: usize| ProcessOptions {
        url: emulator.url().to_owned(),
        token: emulator.root_token().to_owned(),
        product: ProductId::new(group.id),
        project: project.id,
        label: format!("p{number}"),
        seed: seed.wrapping_add(number as u64),
        log: folder.join(format!("log-{number}.json")),
    };
    Ok((0..processes).map(options).collect())
}

fn repositories(gitlab: GitLab) -> Repositories {
    let options = Options {
        branch: "main".to_owned(),
        commit: CommitOptions::default(),
        tenant_repository: None,
        tenant: None,
        nautes_reconciles: false,
        installation: None,
    };
    Repositories::new(gitlab, options, WaitGraph::default())
}

/// One run, with the shared state of one provider process.
struct Run {
    repositories: Repositories,
    product: ProductId,
    project: u64,
    /// Whether writers may stop waiting for a write.
    may_cancel: bool,
}

impl Run {
    fn open(&self) -> Repository {
        self.repositories.product(self.product, self.project)
    }
}

/// Runs the writers, and saves their log.
pub(crate) fn run(options: &ProcessOptions) -> Case {
    let gitlab = options.gitlab()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let log = runtime.block_on(async {
        let writing = write(options, &gitlab);
        let limit = WORK_TIME + FINISH_LIMIT;
        tokio::time::timeout(limit, writing)
            .await
            .context("the writers did not finish in time")?
    })?;
    Ok(fs::write(&options.log, serde_json::to_vec(&log)?)?)
}

async fn write(options: &ProcessOptions, gitlab: &GitLab) -> anyhow::Result<WriteLog> {
    let mut random = fastrand::Rng::with_seed(options.seed);
    let mut writers: Vec<Writer> = (0..WRITERS)
        .map(|number| {
            let label = format!("{}-w{number}", options.label);
            Writer::new(label, options.product, random.fork())
        })
        .collect();
    let started = Instant::now();
    while started.elapsed() < WORK_TIME {
        let run = Run {
            repositories: repositories(gitlab.clone()),
            product: options.product,
            project: options.project,
            may_cancel: started.elapsed() + NO_CANCELLATION_TIME <= WORK_TIME,
        };
        try_join_all(writers.iter_mut().map(|writer| writer.run(&run))).await?;
    }
    let mut log = WriteLog::default();
    for writer in writers {
        log.merge(writer.into_log());
    }
    Ok(log)
}

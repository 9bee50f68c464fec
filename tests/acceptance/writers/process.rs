//! One process: run after run, as of Terraform, in each of which ten writers work in parallel.

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
use terraform_provider_nautes::config_repo::{Author, Options, Repositories, Repository};
use testbed::Emulator;

use self::writer::Writer;
use super::ledger::Ledger;
use super::{ENDING, WORKING};
use crate::harness::Case;

/// The variable that makes this program such a process.
const VARIABLE: &str = "NAUTES_TEST_WRITERS_ASSIGNMENT";

const WRITERS: usize = 10;

/// In the last runs every write is waited for, so that nothing is left half done when the process ends.
const PATIENT: Duration = Duration::from_secs(5);

/// What a process has to do.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Assignment {
    url: String,
    token: String,
    product: ProductId,
    project: u64,
    label: String,
    seed: u64,
    /// Where its ledger goes.
    pub(crate) ledger: PathBuf,
}

impl Assignment {
    /// The assignment of this process; none if it is not one of those.
    pub(crate) fn given() -> anyhow::Result<Option<Self>> {
        match env::var(VARIABLE) {
            Ok(text) => Ok(Some(serde_json::from_str(&text)?)),
            Err(_) => Ok(None),
        }
    }

    /// The assignment as a variable of the process.
    pub(crate) fn as_variable(&self) -> anyhow::Result<(&'static str, String)> {
        Ok((VARIABLE, serde_json::to_string(self)?))
    }

    /// The product whose repository is written.
    pub(crate) fn product(&self) -> ProductId {
        self.product
    }

    fn gitlab(&self) -> anyhow::Result<GitLab> {
        client(&self.url, &self.token)
    }
}

fn client(url: &str, token: &str) -> anyhow::Result<GitLab> {
    // A default that is already there is as good.
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

/// Makes the product, and assignments for so many processes.
pub(crate) fn assignments(
    emulator: &Emulator,
    seed: u64,
    processes: usize,
    folder: &Path,
) -> anyhow::Result<Vec<Assignment>> {
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
        repositories.open(product, project.id).initialise().await?;
        anyhow::Ok((group, project))
    })?;
    let assignment = |number: usize| Assignment {
        url: emulator.url().to_owned(),
        token: emulator.root_token().to_owned(),
        product: ProductId::new(group.id),
        project: project.id,
        label: format!("p{number}"),
        seed: seed.wrapping_add(number as u64),
        ledger: folder.join(format!("ledger-{number}.json")),
    };
    Ok((0..processes).map(assignment).collect())
}

fn repositories(gitlab: GitLab) -> Repositories {
    let options = Options {
        branch: "main".to_owned(),
        author: Author::default(),
        tenant_repository: None,
        tenant: None,
        nautes_reconciles: false,
    };
    Repositories::new(gitlab, options)
}

/// One run: what a process of the provider knows, which has configured it once.
struct Run {
    repositories: Repositories,
    product: ProductId,
    project: u64,
    /// Whether every write is waited for to the end.
    is_patient: bool,
}

impl Run {
    fn open(&self) -> Repository {
        self.repositories.open(self.product, self.project)
    }
}

/// Does what is assigned.
pub(crate) fn work(assignment: &Assignment) -> Case {
    let gitlab = assignment.gitlab()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let ledger = runtime.block_on(async {
        let all = write_for_a_while(assignment, &gitlab);
        let limit = WORKING + ENDING;
        tokio::time::timeout(limit, all)
            .await
            .context("writers hang")?
    })?;
    Ok(fs::write(&assignment.ledger, serde_json::to_vec(&ledger)?)?)
}

async fn write_for_a_while(assignment: &Assignment, gitlab: &GitLab) -> anyhow::Result<Ledger> {
    let mut random = fastrand::Rng::with_seed(assignment.seed);
    let mut writers: Vec<Writer> = (0..WRITERS)
        .map(|number| {
            let label = format!("{}-w{number}", assignment.label);
            Writer::new(label, assignment.product, random.fork())
        })
        .collect();
    let begun = Instant::now();
    while begun.elapsed() < WORKING {
        let run = Run {
            repositories: repositories(gitlab.clone()),
            product: assignment.product,
            project: assignment.project,
            is_patient: begun.elapsed() + PATIENT > WORKING,
        };
        try_join_all(writers.iter_mut().map(|writer| writer.work(&run))).await?;
    }
    let mut ledger = Ledger::default();
    for writer in writers {
        ledger.merge(writer.into_ledger());
    }
    Ok(ledger)
}

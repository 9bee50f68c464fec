//! One batch, from the changes to commits on the branch.
//!
//! GitLab cannot guard a whole branch. What it offers: each action of a commit fails if its file
//! was changed after a given commit, and the new commit's parent tells what it was made on. So a
//! batch is composed on what is known of the branch and committed. If other commits came before
//! it, it is composed again on top of those, and a further commit repairs what then differs, until
//! there is nothing left to commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use nautes_model::installation::Rendering;
use nautes_model::tree::ManifestTree;
use nautes_model::validation::violations;

use crate::backends::gitlab::{self, Commit, EntryType, FileAction, Kind, NewCommit};

use super::branch_cache::BranchCache;
use super::change::{Action, Change, Created};
use super::commit::{actions, file_actions, summary};
use super::compose::{Composer, Composition};
use super::error::Error;
use super::message::{ChangeId, listed, message};
use super::object_id::ObjectFormat;
use super::rebase::{carry_over, rebase};
use super::snapshot::Snapshot;
use super::validation_inputs::{OtherProducts, ValidationInputs};

/// How often a commit may lose a race before the batch is given up.
const MAX_RACES: u32 = 60;

/// How often other commits may come between the head that a commit was composed on and the commit,
/// before the batch is given up. Each time, a further commit repairs the result.
const MAX_OVERTAKEN: u32 = 12;

/// How often a batch is tried again when GitLab fails and the commit was not made.
const MAX_FAILURES: u32 = 4;

/// Delays before the searches for a commit whose outcome is unknown: GitLab may still be making it.
const SEARCH_DELAYS: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(500),
    Duration::from_secs(2),
];

/// How many pages of a hundred commits are searched for such a commit.
const MAX_SEARCH_PAGES: usize = 3;

/// How commits are made; GitLab takes the owner of the token for what is absent of the author.
#[derive(Clone, Debug, Default)]
pub struct CommitOptions {
    /// The author's name.
    pub author_name: Option<String>,
    /// The author's email address.
    pub author_email: Option<String>,
    /// What messages begin with.
    pub message_prefix: Option<String>,
}

/// Makes one batch of changes on a branch.
pub(super) struct Runner<'a> {
    pub(super) branch: &'a BranchCache,
    pub(super) options: &'a CommitOptions,
    pub(super) inputs: &'a ValidationInputs,
    pub(super) other_products: OtherProducts,
}

/// The branch after a change, or why the change was not made.
pub(super) type Outcome = Result<Arc<Snapshot>, Error>;

/// The branch while a batch works on it.
struct BranchState {
    /// What the branch holds.
    head: Arc<Snapshot>,
    /// What it would hold without those commits of this batch that others came before.
    base: ManifestTree,
    /// Whether the head was read after the batch began.
    verified_now: bool,
}

impl Runner<'_> {
    /// Makes the changes and returns their outcomes, in order.
    ///
    /// `created` are the entities that this process has created; what the batch does is recorded.
    /// When GitLab refuses a commit without naming the change at fault, each half is tried alone.
    pub(super) async fn run(&self, changes: &mut [Change], created: &mut Created) -> Vec<Outcome> {
        let error = match self.make(changes, created).await {
            Ok(outcomes) => {
                record(changes, &outcomes, created);
                return outcomes;
            }
            Err(error) => error,
        };
        if changes.len() > 1 && is_fault_of_one(&error) {
            let (left, right) = changes.split_at_mut(changes.len() / 2);
            let mut outcomes = Box::pin(self.run(left, created)).await;
            outcomes.extend(self.run_after(&outcomes, right, created).await);
            return outcomes;
        }
        self.branch.invalidate();
        changes.iter().map(|_| Err(error.clone())).collect()
    }

    /// Makes the other half of a batch. If all of the first half was refused for one reason, one
    /// change is tried alone: where a push rule refuses everything, the others are not sent.
    async fn run_after(
        &self,
        first_half: &[Outcome],
        changes: &mut [Change],
        created: &mut Created,
    ) -> Vec<Outcome> {
        let refusal = common_refusal(first_half);
        let (Some(refusal), Some((probe, rest))) = (refusal, changes.split_first_mut()) else {
            return Box::pin(self.run(changes, created)).await;
        };
        let mut outcomes = Box::pin(self.run(std::slice::from_mut(probe), created)).await;
        if common_refusal(&outcomes).is_some_and(|other| is_same_refusal(&other, &refusal)) {
            outcomes.extend(rest.iter().map(|_| Err(refusal.clone())));
        } else if !rest.is_empty() {
            outcomes.extend(Box::pin(self.run(rest, created)).await);
        }
        outcomes
    }

    async fn make(
        &self,
        changes: &mut [Change],
        created: &mut Created,
    ) -> Result<Vec<Outcome>, Error> {
        let change_id = ChangeId::new();
        let mut retries = RetryBudget::new();
        let mut state = self.load(changes).await?;
        loop {
            let Composition { tree, outcomes } = self.compose(&state, changes, created).await?;
            let head = state.head.commit();
            let mut actions = actions(state.head.tree(), &tree, head);
            actions.extend(self.file_actions(&state.head, &tree, changes).await?);
            if actions.is_empty() && state.verified_now {
                return Ok(state.complete(outcomes));
            }
            if actions.is_empty() {
                state = self.refresh(state).await?;
                continue;
            }
            let mut lines = summary(state.head.tree(), &tree);
            if lines.is_empty() {
                // Only files of the installation are written.
                lines = summary(&without_saved(state.head.tree(), changes), &tree);
            }
            let commit = NewCommit {
                branch: self.branch.name.clone(),
                commit_message: message(self.options.message_prefix.as_deref(), &lines, change_id),
                author_name: self.options.author_name.clone(),
                author_email: self.options.author_email.clone(),
                actions,
            };
            let made = self.commit(&commit, change_id, head).await;
            if let Ok(made) = &made {
                tracing::info!(
                    project = self.branch.project,
                    branch = %self.branch.name,
                    commit = %made.id,
                    entities = %listed(&lines),
                    "committed to a configuration repository"
                );
            }
            match made {
                Ok(made) if made.parent_ids.first().map(String::as_str) == head => {
                    state = self.record_commit(&tree, made);
                    if outcomes.iter().all(Result::is_ok) {
                        return Ok(state.complete(outcomes));
                    }
                    record(changes, &outcomes, created);
                }
                Ok(made) => {
                    state = self.record_overtaken_commit(&state, &tree, made).await?;
                    retries.count_overtaken()?;
                }
                Err(error) => {
                    let Some(delay) = retries.delay_after(&error)? else {
                        return Err(error.into());
                    };
                    tracing::warn!(%error, wait = ?delay, "a commit failed and is tried again");
                    tokio::time::sleep(delay).await;
                    state = self.refresh_after(state, &error).await?;
                }
            }
        }
    }

    async fn load(&self, changes: &[Change]) -> Result<BranchState, Error> {
        let cached = self.branch.cached();
        let verified_now = cached.is_empty();
        if changes.iter().any(Change::is_initialization) {
            // A repository that is still empty has no archive to read.
            self.branch.head(&cached).await?;
        }
        let head = self.branch.snapshot(&cached).await?;
        Ok(BranchState {
            base: head.tree().clone(),
            head,
            verified_now,
        })
    }

    /// Returns the actions on the files that a Nautes installation reads for the clusters which a tree changes, or which
    /// are saved as they are: one that was registered without the installation has none yet.
    async fn file_actions(
        &self,
        head: &Snapshot,
        tree: &ManifestTree,
        changes: &[Change],
    ) -> Result<Vec<FileAction>, Error> {
        let Some(installation) = &self.branch.installation else {
            return Ok(Vec::new());
        };
        let rendering = Rendering::new(&without_saved(head.tree(), changes), tree, installation);
        let Some(commit) = head.commit().filter(|_| !rendering.is_empty()) else {
            return Ok(file_actions(&rendering, &BTreeMap::new(), None));
        };
        let entries = self.branch.gitlab.tree(self.branch.project, commit).await?;
        let files = entries
            .into_iter()
            .filter(|entry| entry.entry_type == EntryType::Blob);
        let existing = files.map(|entry| (entry.path, entry.id)).collect();
        Ok(file_actions(&rendering, &existing, Some(commit)))
    }

    async fn compose(
        &self,
        state: &BranchState,
        changes: &mut [Change],
        created: &Created,
    ) -> Result<Composition, Error> {
        let inputs = self.inputs.load(&self.other_products).await?;
        let format = ObjectFormat::from_id(state.head.commit().unwrap_or_default());
        for change in changes.iter_mut() {
            change.pin(&state.base, created, format);
        }
        let mut composition = inputs.with_context(|context| {
            Composer {
                base: &state.base,
                created,
                format,
                violations: |tree: &ManifestTree| violations(tree, context),
            }
            .compose(changes)
        });
        for outcome in &mut composition.outcomes {
            if let Err(Error::Refused { trees, .. }) = outcome {
                trees.clusters.clone_from(&inputs.clusters);
            }
        }
        Ok(composition)
    }

    /// Commits. If the outcome is unknown, searches the branch for the commit.
    async fn commit(
        &self,
        commit: &NewCommit,
        change_id: ChangeId,
        head: Option<&str>,
    ) -> Result<Commit, gitlab::Error> {
        let BranchCache {
            gitlab, project, ..
        } = self.branch;
        let error = match gitlab.create_commit(*project, commit).await {
            Ok(made) => return Ok(made),
            Err(error) => error,
        };
        if error.may_have_happened() {
            tracing::warn!(%error, "the outcome of a commit is unknown; searching the branch for it");
            for delay in SEARCH_DELAYS {
                tokio::time::sleep(delay).await;
                if let Some(made) = self.search(change_id, head).await? {
                    return Ok(made);
                }
            }
        }
        Err(error)
    }

    /// Searches the branch, back to the commit that was its head, for a commit of this batch.
    async fn search(
        &self,
        change_id: ChangeId,
        head: Option<&str>,
    ) -> Result<Option<Commit>, gitlab::Error> {
        let BranchCache {
            gitlab,
            project,
            name,
            ..
        } = self.branch;
        for page in 1..=MAX_SEARCH_PAGES {
            let commits = match gitlab.commits(*project, name, page).await {
                Err(error) if error.is_not_found() => return Ok(None),
                commits => commits?,
            };
            if commits.is_empty() {
                break;
            }
            for commit in commits {
                if Some(commit.id.as_str()) == head {
                    return Ok(None);
                }
                if change_id.is_in(&commit.message) {
                    return Ok(Some(commit));
                }
            }
        }
        Ok(None)
    }

    /// Records a commit that was made on the head that it was composed on.
    fn record_commit(&self, composed: &ManifestTree, made: Commit) -> BranchState {
        let head = Arc::new(Snapshot::new(Some(made.id), composed.clone()));
        self.branch.advance(Arc::clone(&head));
        BranchState {
            head,
            base: composed.clone(),
            verified_now: true,
        }
    }

    /// Records a commit that others came before. The branch holds their content with our actions
    /// on top; the changes are to be judged by their content alone.
    async fn record_overtaken_commit(
        &self,
        state: &BranchState,
        composed: &ManifestTree,
        made: Commit,
    ) -> Result<BranchState, Error> {
        let theirs = match made.parent_ids.first() {
            Some(parent) => self.branch.tree_at(parent).await?,
            None => ManifestTree::new(self.branch.layout),
        };
        let before = state.head.tree();
        let base = rebase(&state.base, before, &theirs);
        let tree = carry_over(before, composed, &theirs);
        let head = Arc::new(Snapshot::new(Some(made.id), tree));
        self.branch.advance(Arc::clone(&head));
        Ok(BranchState {
            head,
            base,
            verified_now: true,
        })
    }

    async fn refresh(&self, state: BranchState) -> Result<BranchState, Error> {
        self.inputs.refresh(&self.other_products).await?;
        let cached = self.branch.refresh().await?;
        let head = self.branch.snapshot(&cached).await?;
        let base = rebase(&state.base, state.head.tree(), head.tree());
        Ok(BranchState {
            head,
            base,
            verified_now: true,
        })
    }

    /// Refreshes after a failed commit. If GitLab says that a file has changed although the branch
    /// has not moved, then what is cached of its files is wrong.
    async fn refresh_after(
        &self,
        state: BranchState,
        error: &gitlab::Error,
    ) -> Result<BranchState, Error> {
        let before = state.head.commit().map(str::to_owned);
        let after = self.refresh(state).await?;
        if *error.kind() != Kind::FileChanged || after.head.commit() != before.as_deref() {
            return Ok(after);
        }
        self.branch.distrust_archives();
        self.refresh(after).await
    }
}

impl BranchState {
    fn complete(self, outcomes: Vec<Result<(), Error>>) -> Vec<Outcome> {
        let with_snapshot = |outcome: Result<(), Error>| outcome.map(|()| Arc::clone(&self.head));
        outcomes.into_iter().map(with_snapshot).collect()
    }
}

/// The retries that a batch has left.
struct RetryBudget {
    races: u32,
    overtaken: u32,
    failures: u32,
    delays: ExponentialBackoff,
}

impl RetryBudget {
    fn new() -> Self {
        let delays = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(20))
            .with_max_delay(Duration::from_secs(2))
            .without_max_times()
            .with_jitter()
            .build();
        Self {
            races: 0,
            overtaken: 0,
            failures: 0,
            delays,
        }
    }

    /// Counts a commit that was made although others came before it.
    fn count_overtaken(&mut self) -> Result<(), Error> {
        self.overtaken += 1;
        if self.overtaken > MAX_OVERTAKEN {
            return Err(self.contended());
        }
        Ok(())
    }

    /// Returns the delay before the batch is tried again after a failed commit; `None` if that is
    /// of no use.
    fn delay_after(&mut self, error: &gitlab::Error) -> Result<Option<Duration>, Error> {
        if is_race(error) {
            self.races += 1;
            if self.races > MAX_RACES {
                return Err(self.contended());
            }
            return Ok(Some(self.next_delay()));
        }
        if !error.may_have_happened() && *error.kind() != Kind::Locked {
            return Ok(None);
        }
        self.failures += 1;
        Ok((self.failures <= MAX_FAILURES).then(|| self.next_delay()))
    }

    fn contended(&self) -> Error {
        let times = self.races + self.overtaken;
        Error::Contended { times }
    }

    fn next_delay(&mut self) -> Duration {
        self.delays.next().unwrap_or_default()
    }
}

/// Returns a tree without the entities that changes save.
fn without_saved(tree: &ManifestTree, changes: &[Change]) -> ManifestTree {
    let mut tree = tree.clone();
    for change in changes {
        if let Action::Create(saved) | Action::Update(saved) = &change.action {
            tree.remove(&saved.key());
        }
    }
    tree
}

/// Records what the successful changes of a batch have created and deleted.
fn record<T>(changes: &[Change], outcomes: &[Result<T, Error>], created: &mut Created) {
    for (change, outcome) in changes.iter().zip(outcomes) {
        if outcome.is_ok() {
            change.record(created);
        }
    }
}

fn is_race(error: &gitlab::Error) -> bool {
    matches!(error.kind(), Kind::ReferenceMoved | Kind::FileChanged)
}

/// Returns why all changes were refused, if GitLab gave one reason for all.
fn common_refusal(outcomes: &[Outcome]) -> Option<Error> {
    let mut refusals = outcomes.iter().map(|outcome| match outcome {
        Err(error) if is_fault_of_one(error) => Some(error),
        _ => None,
    });
    let first = refusals.next()??;
    let is_same = |other: Option<&Error>| other.is_some_and(|other| is_same_refusal(other, first));
    refusals.all(is_same).then(|| first.clone())
}

fn is_same_refusal(one: &Error, other: &Error) -> bool {
    match (one, other) {
        (Error::GitLab(one), Error::GitLab(other)) => one.field_errors() == other.field_errors(),
        _ => false,
    }
}

/// Whether GitLab refused the content of a commit, so that one of its changes may be at fault.
fn is_fault_of_one(error: &Error) -> bool {
    matches!(error, Error::GitLab(error) if *error.kind() == Kind::Invalid)
}

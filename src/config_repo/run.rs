//! One batch, from the changes to commits on the branch.
//!
//! GitLab has no guard over a whole branch. What there is: each action fails if its file was
//! changed after a given commit, and the new commit's parent tells what it was really made on. So
//! a batch is composed on what is known of the branch and committed; if it turns out that other
//! commits came before it, it is composed again without our work and with theirs, and what is
//! then different is repaired by another commit. It goes round until there is nothing to commit.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use nautes_model::EntityKey;
use nautes_model::tree::ManifestTree;
use nautes_model::validation::violations;

use crate::backends::gitlab::{self, Commit, Kind, NewCommit};

use super::change::Change;
use super::commit::{actions, deeds};
use super::compose::{Composer, Composition};
use super::error::Error;
use super::message::{ChangeId, message};
use super::object_id::ObjectFormat;
use super::rebase::{carry_over, rebase};
use super::remote::Remote;
use super::snapshot::Snapshot;
use super::surroundings::{Neighbours, Surroundings};

/// How often other writers may be faster before a batch is given up.
const MOST_RACES: u32 = 60;

/// How often other commits may come between what we looked at and what we committed, before a
/// batch is given up. Each time, another commit of ours makes good what came of it.
const MOST_OVERTAKINGS: u32 = 12;

/// How often a batch is tried again when GitLab fails and the commit is not there.
const MOST_FAILURES: u32 = 4;

/// The waits before it is looked for a commit whose fate is not known: the server may still be at
/// work on it.
const SEARCHES: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(500),
    Duration::from_secs(2),
];

/// Pages of a hundred commits each that are searched for it.
const PAGES_SEARCHED: usize = 3;

/// Who commits are by; what is not given is the owner of the token.
#[derive(Clone, Debug, Default)]
pub struct Author {
    /// The name.
    pub name: Option<String>,
    /// The address.
    pub email: Option<String>,
}

/// What a batch needs beside its changes.
pub(super) struct Runner<'a> {
    pub(super) remote: &'a Remote,
    pub(super) author: &'a Author,
    pub(super) surroundings: &'a Surroundings,
    pub(super) neighbours: Neighbours,
}

/// What became of one change: the branch after it, or why it was not made.
pub(super) type Verdict = Result<Arc<Snapshot>, Error>;

/// The branch while a batch is at work on it.
struct Ground {
    /// What the branch holds.
    actual: Arc<Snapshot>,
    /// What it would hold without the work of this batch that others have disturbed.
    origin: ManifestTree,
    /// Whether it was looked at after the batch had begun.
    fresh: bool,
}

impl Runner<'_> {
    /// Makes the changes, and tells for each, in order, what became of it.
    ///
    /// `claimed` are the entities that this process has created; those of the batch are added.
    /// When GitLab refuses a commit without saying which change is at fault, its halves are tried.
    pub(super) async fn run(
        &self,
        changes: &mut [Change],
        claimed: &mut BTreeSet<EntityKey>,
    ) -> Vec<Verdict> {
        let error = match self.make(changes, claimed).await {
            Ok(verdicts) => {
                let made = changes
                    .iter()
                    .zip(&verdicts)
                    .filter(|(_, verdict)| verdict.is_ok());
                claimed.extend(made.filter_map(|(change, _)| change.created()));
                return verdicts;
            }
            Err(error) => error,
        };
        if changes.len() > 1 && is_fault_of_one(&error) {
            let (left, right) = changes.split_at_mut(changes.len() / 2);
            let mut verdicts = Box::pin(self.run(left, claimed)).await;
            verdicts.extend(Box::pin(self.run(right, claimed)).await);
            return verdicts;
        }
        self.remote.forget();
        changes.iter().map(|_| Err(error.clone())).collect()
    }

    async fn make(
        &self,
        changes: &mut [Change],
        claimed: &BTreeSet<EntityKey>,
    ) -> Result<Vec<Verdict>, Error> {
        let change_id = ChangeId::new();
        let mut claimed = claimed.clone();
        let mut obstacles = Obstacles::new();
        let view = self.remote.view();
        let fresh = view.is_blank();
        let mut ground = Ground::of(self.remote.snapshot(&view).await?, fresh);
        loop {
            let Composition { tree, verdicts } = self.compose(&ground, changes, &claimed).await?;
            let head = ground.actual.commit();
            let actions = actions(ground.actual.tree(), &tree, head);
            if actions.is_empty() && ground.fresh {
                return Ok(ground.deliver(verdicts));
            }
            if actions.is_empty() {
                ground = self.look_again(ground).await?;
                continue;
            }
            let commit = NewCommit {
                branch: self.remote.branch.clone(),
                commit_message: message(&deeds(ground.actual.tree(), &tree), change_id),
                author_name: self.author.name.clone(),
                author_email: self.author.email.clone(),
                actions,
            };
            match self.commit(&commit, change_id, head).await {
                Ok(made) if made.parent_ids.first().map(String::as_str) == head => {
                    ground = self.settle(&tree, made);
                    if verdicts.iter().all(Result::is_ok) {
                        return Ok(ground.deliver(verdicts));
                    }
                    let made = changes
                        .iter()
                        .zip(&verdicts)
                        .filter(|(_, made)| made.is_ok());
                    claimed.extend(made.filter_map(|(change, _)| change.created()));
                }
                Ok(made) => {
                    ground = self.settle_among_others(&ground, &tree, made).await?;
                    obstacles.overtaken()?;
                }
                Err(error) => {
                    let Some(wait) = obstacles.wait_after(&error)? else {
                        return Err(error.into());
                    };
                    tokio::time::sleep(wait).await;
                    ground = self.look_after(ground, &error).await?;
                }
            }
        }
    }

    async fn compose(
        &self,
        ground: &Ground,
        changes: &mut [Change],
        claimed: &BTreeSet<EntityKey>,
    ) -> Result<Composition, Error> {
        let clusters = self.surroundings.clusters().await?;
        let format = ObjectFormat::of(ground.actual.commit().unwrap_or_default());
        for change in changes.iter_mut() {
            change.pin(&ground.origin, format);
        }
        Ok(self
            .surroundings
            .judge(clusters.as_deref(), &self.neighbours, |context| {
                let rules = |tree: &ManifestTree| violations(tree, context);
                Composer {
                    origin: &ground.origin,
                    claimed,
                    format,
                    rules,
                }
                .compose(changes)
            }))
    }

    /// Commits. When it is not known whether that has happened, the branch is searched for it.
    async fn commit(
        &self,
        commit: &NewCommit,
        change_id: ChangeId,
        head: Option<&str>,
    ) -> Result<Commit, gitlab::Error> {
        let error = match self
            .remote
            .gitlab
            .create_commit(self.remote.project, commit)
            .await
        {
            Ok(made) => return Ok(made),
            Err(error) => error,
        };
        if error.may_have_happened() {
            tracing::debug!(%error, "it is looked for a commit whose fate is not known");
            for wait in SEARCHES {
                tokio::time::sleep(wait).await;
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
        let Remote {
            gitlab,
            project,
            branch,
            ..
        } = self.remote;
        for page in 1..=PAGES_SEARCHED {
            let commits = match gitlab.commits(*project, branch, page).await {
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
                if change_id.names(&commit.message) {
                    return Ok(Some(commit));
                }
            }
        }
        Ok(None)
    }

    /// Takes in a commit that was made on the head that it was composed on.
    fn settle(&self, composed: &ManifestTree, made: Commit) -> Ground {
        let actual = Arc::new(Snapshot::new(Some(made.id), composed.clone()));
        self.remote.advance(Arc::clone(&actual));
        Ground {
            actual,
            origin: composed.clone(),
            fresh: true,
        }
    }

    /// Takes in a commit before which others came. The branch holds what they left, with our
    /// actions on top; the changes have to be judged by what they left alone.
    async fn settle_among_others(
        &self,
        ground: &Ground,
        composed: &ManifestTree,
        made: Commit,
    ) -> Result<Ground, Error> {
        let theirs = match made.parent_ids.first() {
            Some(parent) => self.remote.tree_at(parent).await?,
            None => ManifestTree::new(self.remote.layout),
        };
        let before = ground.actual.tree();
        let origin = rebase(&ground.origin, before, &theirs);
        let actual = carry_over(before, composed, &theirs);
        let actual = Arc::new(Snapshot::new(Some(made.id), actual));
        self.remote.advance(Arc::clone(&actual));
        Ok(Ground {
            actual,
            origin,
            fresh: true,
        })
    }

    async fn look_again(&self, ground: Ground) -> Result<Ground, Error> {
        self.surroundings.look_again().await?;
        let view = self.remote.look_again().await?;
        let actual = self.remote.snapshot(&view).await?;
        let origin = rebase(&ground.origin, ground.actual.tree(), actual.tree());
        Ok(Ground {
            actual,
            origin,
            fresh: true,
        })
    }

    /// Looks at the branch after a commit failed. If a file is not as we thought although the
    /// branch has not moved, then what we know of its files is wrong.
    async fn look_after(&self, ground: Ground, error: &gitlab::Error) -> Result<Ground, Error> {
        let before = ground.actual.commit().map(str::to_owned);
        let after = self.look_again(ground).await?;
        if *error.kind() != Kind::FileChanged || after.actual.commit() != before.as_deref() {
            return Ok(after);
        }
        self.remote.distrust();
        self.look_again(after).await
    }
}

impl Ground {
    fn of(snapshot: Arc<Snapshot>, fresh: bool) -> Self {
        Self {
            origin: snapshot.tree().clone(),
            actual: snapshot,
            fresh,
        }
    }

    fn deliver(self, verdicts: Vec<Result<(), Error>>) -> Vec<Verdict> {
        let snapshot = |made: Result<(), Error>| made.map(|()| Arc::clone(&self.actual));
        verdicts.into_iter().map(snapshot).collect()
    }
}

/// What has stood in the way of a batch so far.
struct Obstacles {
    races: u32,
    overtakings: u32,
    failures: u32,
    pauses: ExponentialBackoff,
}

impl Obstacles {
    fn new() -> Self {
        let pauses = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(20))
            .with_max_delay(Duration::from_secs(2))
            .without_max_times()
            .with_jitter()
            .build();
        Self {
            races: 0,
            overtakings: 0,
            failures: 0,
            pauses,
        }
    }

    /// Notes that others came before a commit that was made all the same.
    fn overtaken(&mut self) -> Result<(), Error> {
        self.overtakings += 1;
        if self.overtakings > MOST_OVERTAKINGS {
            return Err(self.contended());
        }
        Ok(())
    }

    /// The wait before a batch is tried again after a commit failed; none if it is of no use.
    fn wait_after(&mut self, error: &gitlab::Error) -> Result<Option<Duration>, Error> {
        if is_race(error) {
            self.races += 1;
            if self.races > MOST_RACES {
                return Err(self.contended());
            }
            return Ok(Some(self.pause()));
        }
        if !error.may_have_happened() && *error.kind() != Kind::Locked {
            return Ok(None);
        }
        self.failures += 1;
        Ok((self.failures <= MOST_FAILURES).then(|| self.pause()))
    }

    fn contended(&self) -> Error {
        let times = self.races + self.overtakings;
        Error::Contended { times }
    }

    fn pause(&mut self) -> Duration {
        self.pauses.next().unwrap_or_default()
    }
}

fn is_race(error: &gitlab::Error) -> bool {
    matches!(error.kind(), Kind::ReferenceMoved | Kind::FileChanged)
}

/// Whether GitLab refused what a commit does, so that it may be because of one of its changes.
fn is_fault_of_one(error: &Error) -> bool {
    matches!(error, Error::GitLab(error) if *error.kind() == Kind::Invalid)
}

//! One writer: what it owns, and what it does next.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{bail, ensure};
use fastrand::Rng;
use nautes_model::entity::{Entity, Environment, Project};
use nautes_model::{EntityKey, EntityName, Kind, ProductId};
use terraform_provider_nautes::config_repo::{
    Checks, Error, PutMode, Reading, Repository, VerifiedAt, Written,
};
use tokio::time::timeout;

use super::super::evidence::content_of;
use super::super::ledger::{Content, Effect, Ledger, Possible, effect_of, expect_possible};
use super::Run;
use crate::harness::Case;

/// Names that a writer works on in one run; each at most once, as Terraform does.
const NAMES_PER_RUN: usize = 4;

/// So many of its entities may exist at a time.
const MOST_ALIVE: usize = 6;

pub(super) struct Writer {
    label: String,
    product: ProductId,
    random: Rng,
    next: u32,
    owned: BTreeMap<EntityKey, Owned>,
    ledger: Ledger,
}

/// What is known of one entity.
struct Owned {
    possible: Possible,
    verified: Option<VerifiedAt>,
    /// Whether a write that nobody waited for may still happen.
    abandoned: bool,
}

impl Writer {
    pub(super) fn new(label: String, product: ProductId, random: Rng) -> Self {
        Self {
            label,
            product,
            random,
            next: 0,
            owned: BTreeMap::new(),
            ledger: Ledger::default(),
        }
    }

    pub(super) fn into_ledger(mut self) -> Ledger {
        for (key, owned) in self.owned {
            self.ledger.hold(&key, owned.possible);
        }
        self.ledger
    }

    /// Does its part of one run: finds out what became of the unknown, then writes.
    pub(super) async fn work(&mut self, run: &Run) -> Case {
        self.refresh(run).await?;
        let mut at_hand = self.alive();
        self.random.shuffle(&mut at_hand);
        for _ in 0..NAMES_PER_RUN {
            match at_hand.pop() {
                None => self.create(run).await?,
                Some(_) if at_hand.len() < MOST_ALIVE && self.random.u8(..) < 80 => {
                    self.create(run).await?;
                }
                Some(key) => match self.random.u8(0..4) {
                    0 => self.delete(run, &key).await?,
                    1 => self.rename(run, &key).await?,
                    _ => self.update(run, &key).await?,
                },
            }
        }
        Ok(())
    }

    async fn refresh(&mut self, run: &Run) -> Case {
        for (key, owned) in &mut self.owned {
            if owned.abandoned || owned.possible.len() == 1 {
                continue;
            }
            let Ok(reading) = run.open().read(key, None).await else {
                // Next time.
                continue;
            };
            let (found, verified) = match reading {
                Reading::Absent => (None, None),
                Reading::Present(present) => {
                    let entity = present.entity.as_ref().map(content_of);
                    ensure!(entity.is_some(), "{key} is not readable: {present:?}");
                    (entity, Some(present.verified))
                }
                Reading::Unchanged => bail!("{key} is unchanged since never"),
            };
            expect_possible(&key.to_string(), found.as_ref(), &owned.possible)?;
            owned.possible = vec![found];
            owned.verified = verified;
        }
        Ok(())
    }

    /// The entities that certainly exist.
    fn alive(&self) -> Vec<EntityKey> {
        let alive = |owned: &Owned| matches!(owned.possible[..], [Some(_)]);
        self.owned
            .iter()
            .filter(|(_, owned)| alive(owned) && !owned.abandoned)
            .map(|(key, _)| key.clone())
            .collect()
    }

    async fn create(&mut self, run: &Run) -> Case {
        let kind = if self.random.bool() {
            Kind::Environment
        } else {
            Kind::Project
        };
        let key = self.new_key(kind)?;
        let content = self.new_content(kind, None);
        self.put(run, &key, content, PutMode::Create).await
    }

    async fn update(&mut self, run: &Run, key: &EntityKey) -> Case {
        let Some((content, verified)) = self.held(key) else {
            return Ok(());
        };
        let content = self.new_content(key.kind, content.cluster);
        self.put(run, key, content, PutMode::Update(verified)).await
    }

    async fn put(&mut self, run: &Run, key: &EntityKey, new: Content, mode: PutMode) -> Case {
        let entity = self.entity(key, &new)?;
        let repository = run.open();
        self.ledger.begin(Some(&new));
        let put = repository.put(entity, mode, Checks::Full);
        let outcome = self.perhaps_abandoned(run, put).await;
        self.note(key, Some(&new), outcome.as_ref())?;
        if let Some(Err(Error::Refused { .. })) = outcome {
            bail!("{key} was refused: {outcome:?}");
        }
        Ok(())
    }

    async fn delete(&mut self, run: &Run, key: &EntityKey) -> Case {
        let repository = run.open();
        let delete = repository.delete(key, Checks::Full);
        let outcome = self.perhaps_abandoned(run, delete).await;
        self.note(key, None, outcome.as_ref())
    }

    /// Deletes an entity and creates another with its cluster, in no order or in that of a
    /// replacement.
    async fn rename(&mut self, run: &Run, old: &EntityKey) -> Case {
        let Some((content, _)) = self.held(old) else {
            return Ok(());
        };
        let new = self.new_key(old.kind)?;
        let content = self.new_content(old.kind, content.cluster);
        let entity = self.entity(&new, &content)?;
        self.ledger.begin(Some(&content));
        let delete = async |repository: Repository| repository.delete(old, Checks::Full).await;
        let create = async |repository: Repository| {
            repository.put(entity, PutMode::Create, Checks::Full).await
        };
        let (deleted, created) = if self.random.bool() {
            tokio::join!(delete(run.open()), create(run.open()))
        } else {
            (delete(run.open()).await, create(run.open()).await)
        };
        if let (Ok(_), Err(Error::Refused { .. })) = (&deleted, &created) {
            bail!("{new} was refused although {old} was deleted: {created:?}");
        }
        self.note(old, None, Some(&deleted))?;
        self.note(&new, Some(&content), Some(&created))
    }

    /// Waits for a write, but now and then not to the end.
    async fn perhaps_abandoned(
        &mut self,
        run: &Run,
        write: impl Future<Output = Result<Written, Error>>,
    ) -> Option<Result<Written, Error>> {
        if run.is_patient || self.random.u8(..) >= 8 {
            return Some(write.await);
        }
        let patience = Duration::from_millis(self.random.u64(0..400));
        timeout(patience, write).await.ok()
    }

    /// Notes what became of a write; none if nobody waited for it.
    fn note(
        &mut self,
        key: &EntityKey,
        new: Option<&Content>,
        outcome: Option<&Result<Written, Error>>,
    ) -> Case {
        let before = self.owned.remove(key);
        let before = before.map_or_else(|| vec![None], |owned| owned.possible);
        let both = || before.iter().cloned().chain([new.cloned()]).collect();
        let (word, possible, verified) = match outcome {
            Some(Ok(written)) => {
                expect_told(key, new, written)?;
                ("made", vec![new.cloned()], written.verified.clone())
            }
            Some(Err(error)) => match effect_of(error)? {
                Effect::None => ("refused", before, None),
                Effect::Unknown => ("failed", both(), None),
            },
            None => ("cancelled", both(), None),
        };
        self.ledger.end(word, new);
        let owned = Owned {
            possible,
            verified,
            abandoned: outcome.is_none(),
        };
        self.owned.insert(key.clone(), owned);
        Ok(())
    }

    fn held(&self, key: &EntityKey) -> Option<(Content, Option<VerifiedAt>)> {
        let owned = self.owned.get(key)?;
        let content = owned.possible.first()?.clone()?;
        Some((content, owned.verified.clone()))
    }

    fn new_key(&mut self, kind: Kind) -> anyhow::Result<EntityKey> {
        self.next += 1;
        let name = EntityName::new(format!("{}-{}", self.label, self.next))?;
        Ok(EntityKey::new(kind, name))
    }

    fn new_content(&mut self, kind: Kind, cluster: Option<String>) -> Content {
        self.next += 1;
        let mark = format!("mark-{}-{}-end", self.label, self.next);
        let needed = kind == Kind::Environment;
        let own = || needed.then(|| format!("cluster-{}-{}", self.label, self.next));
        Content {
            mark,
            cluster: cluster.or_else(own),
        }
    }

    fn entity(&self, key: &EntityKey, content: &Content) -> anyhow::Result<Entity> {
        let (product, name) = (self.product, key.name.clone());
        Ok(match &content.cluster {
            Some(cluster) => Entity::Environment(Environment {
                product,
                name,
                cluster: EntityName::new(cluster.clone())?,
                env_type: content.mark.clone(),
            }),
            None => Entity::Project(Project {
                product,
                name,
                language: content.mark.clone(),
            }),
        })
    }
}

/// Checks that the snapshot that comes with a success shows the write.
fn expect_told(key: &EntityKey, new: Option<&Content>, written: &Written) -> Case {
    let found = written.snapshot.get(key).map(content_of);
    ensure!(
        found.as_ref() == new && written.verified.is_some() == new.is_some(),
        "{key} was told to be {new:?} and is {found:?}"
    );
    Ok(())
}

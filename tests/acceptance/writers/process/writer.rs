//! One writer: its entities, and its random writes.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{bail, ensure};
use fastrand::Rng;
use nautes_model::entity::{Entity, Environment, Project};
use nautes_model::{EntityKey, EntityName, Kind, ProductId};
use terraform_provider_nautes::config_repo::{
    Error, PutMode, Reading, Validation, VerifiedAt, Written,
};
use tokio::time::timeout;

use super::super::write_log::{
    Content, Effect, PossibleContents, WriteLog, check_possible, effect_of,
};
use super::Run;
use crate::test_env::Case;

/// The number of entities that a writer changes in one run, each once, as Terraform does.
const CHANGES_PER_RUN: usize = 4;

/// While fewer entities are left to change, a writer sometimes creates another.
const CREATE_BELOW: usize = 6;

pub(super) struct Writer {
    label: String,
    product: ProductId,
    random: Rng,
    next: u32,
    entities: BTreeMap<EntityKey, KnownEntity>,
    log: WriteLog,
}

/// An entity as far as the writer knows it.
struct KnownEntity {
    possible: PossibleContents,
    verified: Option<VerifiedAt>,
    /// Whether a cancelled write may still take effect.
    cancelled: bool,
}

impl Writer {
    pub(super) fn new(label: String, product: ProductId, random: Rng) -> Self {
        Self {
            label,
            product,
            random,
            next: 0,
            entities: BTreeMap::new(),
            log: WriteLog::default(),
        }
    }

    pub(super) fn into_log(mut self) -> WriteLog {
        for (key, known) in self.entities {
            self.log.set_possible(&key, known.possible);
        }
        self.log
    }

    /// Takes part in one run: reads the entities whose content is unknown, then writes.
    pub(super) async fn run(&mut self, run: &Run) -> Case {
        self.refresh(run).await?;
        let mut existing = self.existing();
        self.random.shuffle(&mut existing);
        for _ in 0..CHANGES_PER_RUN {
            match existing.pop() {
                None => self.create(run).await?,
                Some(_) if existing.len() < CREATE_BELOW && self.random.u8(..) < 80 => {
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
        for (key, known) in &mut self.entities {
            if known.cancelled || known.possible.len() == 1 {
                continue;
            }
            let Ok(reading) = run.open().read(key, None).await else {
                // The next run reads it again.
                continue;
            };
            let (found, verified) = match reading {
                Reading::Absent => (None, None),
                Reading::Present(present) => {
                    let entity = present.entity.as_ref().map(Content::from);
                    ensure!(entity.is_some(), "{key} is not readable: {present:?}");
                    (entity, Some(present.verified))
                }
                Reading::Unchanged => bail!("{key} is unchanged, but was not read before"),
            };
            check_possible(&key.to_string(), found.as_ref(), &known.possible)?;
            known.possible = vec![found];
            known.verified = verified;
        }
        Ok(())
    }

    /// Returns the entities that certainly exist.
    fn existing(&self) -> Vec<EntityKey> {
        let exists = |known: &KnownEntity| matches!(known.possible[..], [Some(_)]);
        self.entities
            .iter()
            .filter(|(_, known)| exists(known) && !known.cancelled)
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
        let Some((content, verified)) = self.known_content(key) else {
            return Ok(());
        };
        let content = self.new_content(key.kind, content.cluster);
        self.put(run, key, content, PutMode::Update(verified)).await
    }

    async fn put(&mut self, run: &Run, key: &EntityKey, new: Content, mode: PutMode) -> Case {
        let entity = self.entity(key, &new)?;
        let repository = run.open();
        self.log.start(Some(&new));
        let request = repository.begin(key.clone());
        let put = repository.put(&request, entity, mode, Validation::Full);
        let outcome = self.wait_or_cancel(run, put).await;
        self.record(key, Some(&new), outcome.as_ref())?;
        if let Some(Err(Error::Refused { .. })) = outcome {
            bail!("{key} was refused: {outcome:?}");
        }
        Ok(())
    }

    async fn delete(&mut self, run: &Run, key: &EntityKey) -> Case {
        let repository = run.open();
        let request = repository.begin(key.clone());
        let delete = repository.delete(&request, key, Validation::Full);
        let outcome = self.wait_or_cancel(run, delete).await;
        self.record(key, None, outcome.as_ref())
    }

    /// Deletes an entity and creates another with its cluster, in parallel or one after the other.
    async fn rename(&mut self, run: &Run, old: &EntityKey) -> Case {
        let Some((content, _)) = self.known_content(old) else {
            return Ok(());
        };
        let new = self.new_key(old.kind)?;
        let content = self.new_content(old.kind, content.cluster);
        let entity = self.entity(&new, &content)?;
        self.log.start(Some(&content));
        let repository = run.open();
        let delete = async || {
            let request = repository.begin(old.clone());
            repository.delete(&request, old, Validation::Full).await
        };
        let create = async || {
            let request = repository.begin(new.clone());
            repository
                .put(&request, entity, PutMode::Create, Validation::Full)
                .await
        };
        let (deleted, created) = if self.random.bool() {
            tokio::join!(delete(), create())
        } else {
            (delete().await, create().await)
        };
        if let (Ok(_), Err(Error::Refused { .. })) = (&deleted, &created) {
            bail!("{new} was refused although {old} was deleted: {created:?}");
        }
        self.record(old, None, Some(&deleted))?;
        self.record(&new, Some(&content), Some(&created))
    }

    /// Waits for a write, or sometimes cancels it; `None` if it was cancelled.
    async fn wait_or_cancel(
        &mut self,
        run: &Run,
        write: impl Future<Output = Result<Written, Error>>,
    ) -> Option<Result<Written, Error>> {
        if !run.may_cancel || self.random.u8(..) >= 8 {
            return Some(write.await);
        }
        let limit = Duration::from_millis(self.random.u64(0..400));
        timeout(limit, write).await.ok()
    }

    /// Records the outcome of a write; `None` if it was cancelled.
    fn record(
        &mut self,
        key: &EntityKey,
        new: Option<&Content>,
        outcome: Option<&Result<Written, Error>>,
    ) -> Case {
        let before = self.entities.remove(key);
        let before = before.map_or_else(|| vec![None], |known| known.possible);
        let both = || before.iter().cloned().chain([new.cloned()]).collect();
        let (name, possible, verified) = match outcome {
            Some(Ok(written)) => {
                check_snapshot(key, new, written)?;
                ("succeeded", vec![new.cloned()], written.verified.clone())
            }
            Some(Err(error)) => match effect_of(error)? {
                Effect::None => ("refused", before, None),
                Effect::Unknown => ("failed", both(), None),
            },
            None => ("cancelled", both(), None),
        };
        self.log.finish(name, new);
        let known = KnownEntity {
            possible,
            verified,
            cancelled: outcome.is_none(),
        };
        self.entities.insert(key.clone(), known);
        Ok(())
    }

    fn known_content(&self, key: &EntityKey) -> Option<(Content, Option<VerifiedAt>)> {
        let known = self.entities.get(key)?;
        let content = known.possible.first()?.clone()?;
        Some((content, known.verified.clone()))
    }

    fn new_key(&mut self, kind: Kind) -> anyhow::Result<EntityKey> {
        self.next += 1;
        let name = EntityName::new(format!("{}-{}", self.label, self.next))?;
        Ok(EntityKey::new(kind, name))
    }

    fn new_content(&mut self, kind: Kind, cluster: Option<String>) -> Content {
        self.next += 1;
        let mark = format!("mark-{}-{}-end", self.label, self.next);
        let needs_cluster = kind == Kind::Environment;
        let own = || needs_cluster.then(|| format!("cluster-{}-{}", self.label, self.next));
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

/// Checks that the snapshot of a successful write contains the write.
fn check_snapshot(key: &EntityKey, new: Option<&Content>, written: &Written) -> Case {
    let found = written.snapshot.get(key).map(Content::from);
    ensure!(
        found.as_ref() == new && written.verified.is_some() == new.is_some(),
        "the snapshot after the write has {found:?} for {key}, expected {new:?}"
    );
    Ok(())
}

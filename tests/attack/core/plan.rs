//! The plan of a configuration.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use terraform_plugin::value::Value;

use super::session::{Errors, Proposal, Session, value_type};
use super::state::{State, Stored};
use crate::configuration::{Address, Block, Configuration, dependencies};

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Brings everything to the configuration.
    Normal,
    /// Destroys everything in the state.
    Destroy,
}

/// The options of a plan.
#[derive(Debug, Clone)]
pub(crate) struct PlanOptions {
    pub(crate) mode: Mode,
    /// What is planned, with what it depends on; everything if empty.
    pub(crate) targets: BTreeSet<Address>,
    /// What is replaced even if nothing of it changes.
    pub(crate) replaces: BTreeSet<Address>,
    /// Whether objects are read first.
    pub(crate) refreshes: bool,
    /// Decides the order of requests that do not depend on each other.
    pub(crate) order: u64,
}

/// What is to happen to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    NoOp,
    Create,
    Update,
    Delete,
    /// Deleted and created, or created and deleted.
    Replace {
        creates_first: bool,
    },
}

/// The plan of an object.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) address: Address,
    /// The key of a deposed object.
    pub(crate) deposed: Option<String>,
    pub(crate) action: Action,
    /// The object after the refresh; `None` for a creation.
    pub(crate) prior: Option<Stored>,
    /// The object that is planned; null for a deletion.
    pub(crate) value: Value,
    pub(crate) proposal: Option<Proposal>,
}

/// The plan of a configuration.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    /// The state after the refresh.
    pub(crate) refreshed: State,
    pub(crate) changes: Vec<Planned>,
    pub(crate) errors: Errors,
}

/// Refreshes and plans.
pub(crate) async fn plan(
    session: &Session,
    configuration: &Configuration,
    state: &State,
    options: &PlanOptions,
) -> Plan {
    let mut planning = Planning {
        session,
        configuration,
        options,
        plan: Plan {
            refreshed: state.clone(),
            ..Plan::default()
        },
        values: BTreeMap::new(),
    };
    let failed = planning.walk(state).await;
    planning
        .plan
        .errors
        .extend(failed.err().unwrap_or_default());
    planning.plan
}

struct Planning<'a> {
    session: &'a Session,
    configuration: &'a Configuration,
    options: &'a PlanOptions,
    plan: Plan,
    /// The planned values, to which other blocks refer.
    values: BTreeMap<Address, Value>,
}

impl Planning<'_> {
    async fn walk(&mut self, state: &State) -> Result<(), Errors> {
        let selected = self.selected(state);
        let order = self.order(&selected, state)?;
        for address in order {
            self.deposed(address, state).await;
            let block = match self.options.mode {
                Mode::Normal => self.configuration.get(&address),
                Mode::Destroy => None,
            };
            let result = match block {
                Some(block) => self.block(block, state).await,
                None => self.removal(address, state).await,
            };
            if let Err(errors) = result {
                let errors = errors
                    .into_iter()
                    .map(|error| format!("{address}: {error}"));
                self.plan.errors.extend(errors);
                // What depends on it is not planned.
                return Ok(());
            }
        }
        Ok(())
    }

    /// Returns what is planned: everything, or the targets with what must go with them.
    fn selected(&self, state: &State) -> BTreeSet<Address> {
        let declared = self.configuration.keys().copied();
        let stored = state.objects().map(|(address, ..)| address);
        let all: BTreeSet<Address> = declared.chain(stored).collect();
        let targets = &self.options.targets;
        if targets.is_empty() {
            return all;
        }
        let depends_on = |address: Address| {
            let stored = state.current.get(&address);
            let mut found = dependencies(self.configuration, address);
            found.extend(
                stored
                    .iter()
                    .flat_map(|stored| stored.dependencies.iter().copied()),
            );
            found
        };
        all.iter()
            .copied()
            .filter(|address| {
                targets.contains(address)
                    || match self.options.mode {
                        Mode::Normal => targets
                            .iter()
                            .any(|target| depends_on(*target).contains(address)),
                        Mode::Destroy => {
                            let found = depends_on(*address);
                            targets.iter().any(|target| found.contains(target))
                        }
                    }
            })
            .collect()
    }

    /// Orders blocks after what they refer to; the rest of the order is the options'.
    fn order(&self, selected: &BTreeSet<Address>, state: &State) -> Result<Vec<Address>, Errors> {
        let mut random = fastrand::Rng::with_seed(self.options.order);
        let mut waiting: Vec<Address> = selected.iter().copied().collect();
        random.shuffle(&mut waiting);
        let mut ordered = Vec::new();
        while !waiting.is_empty() {
            let is_ready = |address: &Address| {
                let references = match self.configuration.get(address) {
                    Some(block) => block.references(),
                    None => state
                        .current
                        .get(address)
                        .map(|stored| stored.dependencies.clone())
                        .unwrap_or_default(),
                };
                references
                    .iter()
                    .all(|reference| !selected.contains(reference) || ordered.contains(reference))
            };
            let Some(position) = waiting.iter().position(is_ready) else {
                return Err(vec!["Error: Cycle".to_owned()]);
            };
            ordered.push(waiting.remove(position));
        }
        Ok(ordered)
    }

    async fn refresh(
        &mut self,
        address: Address,
        stored: &Stored,
    ) -> Result<Option<Stored>, Errors> {
        if self.options.refreshes {
            self.session.read(address, stored).await
        } else {
            Ok(Some(stored.clone()))
        }
    }

    /// Plans the deletion of an address's deposed objects.
    async fn deposed(&mut self, address: Address, state: &State) {
        let objects: Vec<_> = state
            .deposed
            .iter()
            .filter(|((of, _), _)| *of == address)
            .map(|((_, key), stored)| (key.clone(), stored.clone()))
            .collect();
        for (key, stored) in objects {
            let slot = (address, key.clone());
            let result = match self.refresh(address, &stored).await {
                Ok(None) => {
                    self.plan.refreshed.deposed.remove(&slot);
                    continue;
                }
                Ok(Some(refreshed)) => {
                    self.plan.refreshed.deposed.insert(slot, refreshed.clone());
                    self.deletion(address, Some(key), refreshed).await
                }
                Err(errors) => Err(errors),
            };
            self.plan.errors.extend(result.err().unwrap_or_default());
        }
    }

    async fn removal(&mut self, address: Address, state: &State) -> Result<(), Errors> {
        let Some(stored) = state.current.get(&address) else {
            return Ok(());
        };
        let Some(refreshed) = self.refresh(address, stored).await? else {
            self.plan.refreshed.current.remove(&address);
            return Ok(());
        };
        self.plan
            .refreshed
            .current
            .insert(address, refreshed.clone());
        self.deletion(address, None, refreshed).await
    }

    async fn deletion(
        &mut self,
        address: Address,
        deposed: Option<String>,
        prior: Stored,
    ) -> Result<(), Errors> {
        let private = prior.private.clone();
        let proposal = self
            .session
            .plan(address, &Value::Null, Some(&prior), private)
            .await?;
        self.plan.changes.push(Planned {
            address,
            deposed,
            action: Action::Delete,
            prior: Some(prior),
            value: Value::Null,
            proposal: Some(proposal),
        });
        Ok(())
    }

    async fn block(&mut self, block: &Block, state: &State) -> Result<(), Errors> {
        let address = block.address;
        let prior = match state.current.get(&address) {
            Some(stored) => self.refresh(address, stored).await?,
            None => None,
        };
        match &prior {
            Some(prior) => self.plan.refreshed.current.insert(address, prior.clone()),
            None => self.plan.refreshed.current.remove(&address),
        };
        let configuration = block
            .evaluate(&value_type(address.kind), &self.values)
            .map_err(|error| vec![error])?;
        let (action, proposal) = self.propose(block, &configuration, prior.as_ref()).await?;
        self.values.insert(address, proposal.planned.clone());
        self.plan.changes.push(Planned {
            address,
            deposed: None,
            action,
            prior,
            value: proposal.planned.clone(),
            proposal: Some(proposal),
        });
        Ok(())
    }

    async fn propose(
        &self,
        block: &Block,
        configuration: &Value,
        prior: Option<&Stored>,
    ) -> Result<(Action, Proposal), Errors> {
        let address = block.address;
        let session = self.session;
        let replace = Action::Replace {
            creates_first: creates_before_destroy(self.configuration, address),
        };
        let Some(prior) = prior else {
            let planned = session.plan(address, configuration, None, Bytes::new());
            return Ok((Action::Create, planned.await?));
        };
        if prior.is_tainted {
            // Core plans a tainted object as a creation, at once.
            let planned = session.plan(address, configuration, None, Bytes::new());
            return Ok((replace, planned.await?));
        }
        let private = prior.private.clone();
        let first = session
            .plan(address, configuration, Some(prior), private)
            .await?;
        if first.requires_replacement || self.options.replaces.contains(&address) {
            let second = session.plan(address, configuration, None, first.private.clone());
            return Ok((replace, second.await?));
        }
        let action = if first.planned == prior.value {
            Action::NoOp
        } else {
            Action::Update
        };
        Ok((action, first))
    }
}

/// Whether a block is created before it is destroyed: it says so, or something that depends on it.
pub(super) fn creates_before_destroy(configuration: &Configuration, address: Address) -> bool {
    configuration.values().any(|block| {
        block.create_before_destroy
            && (block.address == address
                || dependencies(configuration, block.address).contains(&address))
    })
}

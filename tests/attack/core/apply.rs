//! The apply of a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use terraform_plugin::plan::check_replanned;
use terraform_plugin::value::Value;

use super::graph::{Graph, Node};
use super::plan::{Action, Plan, Planned, creates_before_destroy};
use super::session::{Errors, Proposal, Session, value_type};
use super::state::{State, Stored};
use crate::configuration::{Address, Configuration, dependencies};

/// When an apply ends before everything is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// After this many steps something else in the configuration fails.
    Failure(usize),
    /// After this many steps the user interrupts the run.
    Interrupt(usize),
}

/// The options of an apply.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ApplyOptions {
    /// How many steps run at once.
    pub(crate) parallelism: usize,
    /// Decides the order of steps that do not depend on each other.
    pub(crate) order: u64,
    pub(crate) stop: Option<Stop>,
}

/// How far an apply has come. Another thread sees it when the apply is killed.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) state: State,
    pub(crate) errors: Errors,
    /// The instances that were written without an error.
    pub(crate) written: BTreeSet<Address>,
}

/// What an apply has come to.
pub(crate) type Applied = Arc<Mutex<Progress>>;

/// Applies a plan. `applied` begins with the refreshed state.
pub(crate) async fn apply(
    session: Session,
    configuration: Configuration,
    plan: Plan,
    options: ApplyOptions,
    applied: Applied,
) {
    let run = Run {
        session: &session,
        configuration: &configuration,
        plan: &plan,
        applied: &applied,
    };
    match Graph::new(&plan, &configuration) {
        Some(graph) => run.walk(&graph, options).await,
        None => run.progress().errors.push("Error: Cycle".to_owned()),
    }
}

struct Run<'a> {
    session: &'a Session,
    configuration: &'a Configuration,
    plan: &'a Plan,
    applied: &'a Applied,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Waiting,
    Running,
    Done,
    Failed,
}

impl Run<'_> {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.applied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn walk(&self, graph: &Graph, options: ApplyOptions) {
        let mut random = fastrand::Rng::with_seed(options.order);
        let mut status = vec![Status::Waiting; graph.nodes.len()];
        let mut running = FuturesUnordered::new();
        let mut ended = 0;
        let mut stops = false;
        loop {
            let mut ready: Vec<usize> = ready(graph, &status);
            random.shuffle(&mut ready);
            for node in ready {
                if stops || running.len() >= options.parallelism {
                    break;
                }
                if let (Some(slot), Some(step)) = (status.get_mut(node), graph.nodes.get(node)) {
                    *slot = Status::Running;
                    running.push(async move { (node, self.step(step).await) });
                }
            }
            let Some((node, result)) = running.next().await else {
                return;
            };
            ended += 1;
            if let Some(slot) = status.get_mut(node) {
                *slot = if result.is_ok() {
                    Status::Done
                } else {
                    Status::Failed
                };
            }
            if let (Err(errors), Some(step)) = (result, graph.nodes.get(node)) {
                let errors = errors.into_iter().map(|error| format!("{step}: {error}"));
                self.progress().errors.extend(errors);
            }
            match options.stop {
                Some(Stop::Failure(after)) if ended > after && !stops => {
                    stops = true;
                    let mut progress = self.progress();
                    progress.errors.push("another resource failed".to_owned());
                }
                Some(Stop::Interrupt(after)) if ended > after && !stops => {
                    stops = true;
                    self.progress().errors.push("interrupted".to_owned());
                    self.session.stop().await;
                }
                _ => {}
            }
        }
    }

    fn change(&self, address: Address, deposed: Option<&str>) -> Option<&Planned> {
        self.plan
            .changes
            .iter()
            .find(|planned| planned.address == address && planned.deposed.as_deref() == deposed)
    }

    async fn step(&self, node: &Node) -> Result<(), Errors> {
        match node {
            Node::Write(address) => match self.change(*address, None) {
                Some(planned) => self.write(planned).await,
                None => Ok(()),
            },
            Node::Destroy(address) => match self.change(*address, None) {
                Some(planned) => self.destroy(planned).await,
                None => Ok(()),
            },
            Node::DestroyDeposed(address, key) => self.destroy_deposed(*address, key).await,
        }
    }

    async fn write(&self, planned: &Planned) -> Result<(), Errors> {
        let address = planned.address;
        let block = self.configuration.get(&address);
        let block = block.ok_or_else(|| vec![format!("{address} is not declared")])?;
        let values: BTreeMap<Address, Value> = {
            let progress = self.progress();
            let current = progress.state.current.iter();
            current
                .map(|(address, stored)| (*address, stored.value.clone()))
                .collect()
        };
        let configuration = block
            .evaluate(&value_type(address.kind), &values)
            .map_err(|error| vec![error])?;
        let (prior, deposed) = self.prior_of_write(planned);
        let private = prior
            .as_ref()
            .map(|prior| prior.private.clone())
            .unwrap_or_default();
        let result = self
            .replan_and_apply(planned, &configuration, prior.as_ref(), private)
            .await;
        let (stored, errors) = match result {
            Ok(Some(result)) => result,
            Ok(None) => return Ok(()),
            Err(errors) => (prior, errors),
        };
        let mut progress = self.progress();
        if let Some(stored) = stored {
            let stored = Stored {
                dependencies: dependencies(self.configuration, address),
                create_before_destroy: creates_before_destroy(self.configuration, address),
                ..stored
            };
            progress.state.current.insert(address, stored);
        } else {
            // Core restores the object that was to be replaced.
            let restored = deposed.and_then(|key| progress.state.deposed.remove(&(address, key)));
            match restored {
                Some(restored) => progress.state.current.insert(address, restored),
                None => progress.state.current.remove(&address),
            };
        }
        if errors.is_empty() {
            progress.written.insert(address);
            Ok(())
        } else {
            Err(errors)
        }
    }

    /// Returns what a write begins with, and the key under which it deposed the former object.
    fn prior_of_write(&self, planned: &Planned) -> (Option<Stored>, Option<String>) {
        let address = planned.address;
        let mut progress = self.progress();
        match planned.action {
            Action::Replace {
                creates_first: true,
            } => {
                let key = self.plan.refreshed.free_key(address);
                let deposed = progress.state.current.remove(&address);
                if let Some(deposed) = deposed {
                    progress
                        .state
                        .deposed
                        .insert((address, key.clone()), deposed);
                }
                (None, Some(key))
            }
            Action::Update => (progress.state.current.get(&address).cloned(), None),
            _ => (None, None),
        }
    }

    async fn replan_and_apply(
        &self,
        planned: &Planned,
        configuration: &Value,
        prior: Option<&Stored>,
        private: Bytes,
    ) -> Result<Option<(Option<Stored>, Errors)>, Errors> {
        let address = planned.address;
        let again = self
            .session
            .plan(address, configuration, prior, private)
            .await?;
        if again.requires_replacement {
            let text = "Provider produced inconsistent final plan: the update became a replacement";
            return Err(vec![text.to_owned()]);
        }
        let faults = check_replanned(&planned.value, &again.planned);
        if !faults.is_empty() {
            let errors = faults.iter();
            return Err(errors
                .map(|fault| format!("Provider produced inconsistent final plan: {fault}"))
                .collect());
        }
        if prior.is_some_and(|prior| prior.value == again.planned) {
            return Ok(None);
        }
        let applied = self
            .session
            .apply(address, configuration, prior, &again)
            .await;
        Ok(Some(applied))
    }

    async fn destroy(&self, planned: &Planned) -> Result<(), Errors> {
        let address = planned.address;
        let prior = self.progress().state.current.get(&address).cloned();
        let (Some(prior), Some(proposal)) = (prior, planned.proposal.clone()) else {
            return Ok(());
        };
        // The deletion half of a replacement carries the private data of the creation's plan.
        let proposal = Proposal {
            planned: Value::Null,
            ..proposal
        };
        let (stored, errors) = self
            .session
            .apply(address, &Value::Null, Some(&prior), &proposal)
            .await;
        let mut progress = self.progress();
        match stored {
            Some(stored) => progress.state.current.insert(address, stored),
            None => progress.state.current.remove(&address),
        };
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    async fn destroy_deposed(&self, address: Address, key: &str) -> Result<(), Errors> {
        let slot = (address, key.to_owned());
        let prior = self.progress().state.deposed.get(&slot).cloned();
        let Some(prior) = prior else {
            return Ok(());
        };
        let private = prior.private.clone();
        let proposal = self
            .session
            .plan(address, &Value::Null, Some(&prior), private)
            .await?;
        let (stored, errors) = self
            .session
            .apply(address, &Value::Null, Some(&prior), &proposal)
            .await;
        let mut progress = self.progress();
        match stored {
            Some(stored) => progress.state.deposed.insert(slot, stored),
            None => progress.state.deposed.remove(&slot),
        };
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}

fn ready(graph: &Graph, status: &[Status]) -> Vec<usize> {
    let is = |node: usize, wanted: Status| status.get(node).copied() == Some(wanted);
    (0..graph.nodes.len())
        .filter(|node| is(*node, Status::Waiting))
        .filter(|node| {
            let after = graph.after.get(*node);
            after.is_some_and(|after| after.iter().all(|first| is(*first, Status::Done)))
        })
        .collect()
}

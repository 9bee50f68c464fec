//! Carries out the steps of an attack on a world, and checks the invariants after each.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::command_line;
use crate::configuration::Address;
use crate::core::{Applied, ApplyOptions, Mode, Plan, PlanOptions, Progress, Session, apply, plan};
use crate::fault::Injected;
use crate::invariant::{self, Violation};
use crate::ledger::Object;
use crate::record::Record;
use crate::step::{Command, Run, Step};
use crate::world::{Role, Snapshot, Target, VaultRole, World};

/// How often it is looked whether a provider is to be killed.
const POLL_INTERVAL: Duration = Duration::from_millis(4);

/// What came of a step.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) violations: Vec<Violation>,
    /// What Terraform would have printed as errors.
    pub(crate) errors: Vec<String>,
    pub(crate) log: Vec<String>,
}

/// A world in which steps are carried out.
pub(crate) struct Attack {
    pub(crate) world: World,
    pub(crate) snapshot: Snapshot,
}

impl Attack {
    pub(crate) async fn start(world: World) -> anyhow::Result<Self> {
        let snapshot = world.snapshot().await?;
        Ok(Self { world, snapshot })
    }

    /// Carries out a step.
    pub(crate) async fn step(&mut self, step: &Step) -> anyhow::Result<Outcome> {
        match step {
            Step::Write { workspace, block } => {
                if let Some(workspace) = self.world.workspaces.get_mut(*workspace) {
                    let configuration = &mut workspace.configuration;
                    configuration.insert(block.address, block.clone());
                }
                Ok(Outcome::default())
            }
            Step::Remove { workspace, address } => {
                if let Some(workspace) = self.world.workspaces.get_mut(*workspace) {
                    workspace.configuration.remove(address);
                }
                Ok(Outcome::default())
            }
            Step::Forget { workspace, address } => {
                if let Some(workspace) = self.world.workspaces.get_mut(*workspace) {
                    let state = &mut workspace.state;
                    workspace.history.push(state.clone());
                    state.current.remove(address);
                    state.deposed.retain(|(of, _), _| of != address);
                }
                Ok(Outcome::default())
            }
            Step::RollBack { workspace, runs } => {
                if let Some(workspace) = self.world.workspaces.get_mut(*workspace) {
                    let position = workspace.history.len().checked_sub((*runs).max(1));
                    let former = position.and_then(|position| workspace.history.get(position));
                    if let Some(former) = former.cloned() {
                        workspace.state = former;
                    }
                }
                Ok(Outcome::default())
            }
            Step::Import {
                workspace,
                address,
                id,
            } => self.import(*workspace, *address, id).await,
            Step::Change(change) => {
                // What GitLab refuses changes nothing.
                let _ = self.world.change_manually(change).await;
                self.snapshot = self.world.snapshot().await?;
                Ok(Outcome::default())
            }
            Step::Run(run) => self.run(run).await,
        }
    }

    async fn import(
        &mut self,
        workspace: usize,
        address: Address,
        id: &str,
    ) -> anyhow::Result<Outcome> {
        let mut outcome = Outcome::default();
        let block = self
            .world
            .provider(Target::Main, Role::Administrator, VaultRole::Root);
        let log = Arc::new(Mutex::new(Vec::new()));
        let Some(holder) = self.world.workspaces.get_mut(workspace) else {
            return Ok(outcome);
        };
        // Terraform refuses what is in the state already.
        if holder.state.current.contains_key(&address) {
            return Ok(outcome);
        }
        let imported = match Session::start(&block, Arc::clone(&log)).await {
            Ok(session) => session.import(address, id).await,
            Err(errors) => Err(errors),
        };
        match imported {
            Ok(stored) => {
                holder.history.push(holder.state.clone());
                holder.state.current.insert(address, stored);
                self.world.ledger.record(workspace, &holder.state);
            }
            Err(errors) => outcome.errors = errors,
        }
        outcome.log = entries(&log);
        let after = self.world.snapshot().await?;
        outcome.violations = invariant::nothing_changed("an import", &self.snapshot, &after);
        self.snapshot = after;
        Ok(outcome)
    }

    async fn run(&mut self, run: &Run) -> anyhow::Result<Outcome> {
        let Some(workspace) = self.world.workspaces.get(run.workspace) else {
            return Ok(Outcome::default());
        };
        let state = workspace.state.clone();
        let emulator = &self.world.server(run.target).emulator;
        emulator.clear_journal();
        let vault_calls = self.world.proxy.calls().count();
        let at_plan = self.snapshot.clone();
        let mut before = at_plan.clone();
        let mut record = if run.by_command_line {
            command_line::run(&self.world, run, &mut before).await?
        } else {
            self.run_in_process(run, &mut before).await?
        };
        record
            .log
            .extend(self.changing_calls(run.target, vault_calls));
        let after = self.world.snapshot().await?;
        let violations = if record.is_applied {
            let check = invariant::Check {
                record: &record,
                at_plan: &at_plan,
                before: &before,
                after: &after,
                ledger: &self.world.ledger,
            };
            check.violations()
        } else {
            invariant::nothing_changed("a plan", &before, &after)
        };
        if run.target == Target::Main && record.is_applied {
            self.record_creations(&record, &before, &after);
            self.world.ledger.record(run.workspace, &record.state);
            if let Some(workspace) = self.world.workspaces.get_mut(run.workspace) {
                workspace.history.push(state);
                workspace.state = record.state.clone();
            }
        }
        self.snapshot = after;
        Ok(Outcome {
            violations,
            errors: record.errors,
            log: record.log,
        })
    }

    /// Records what a run has made and could not store, by the names that its plan has.
    fn record_creations(&mut self, record: &Record<'_>, before: &Snapshot, after: &Snapshot) {
        let (before, after) = (before.gitlab(Target::Main), after.gitlab(Target::Main));
        for planned in &record.changes {
            let Some(name) = planned.value.attribute("name").as_str() else {
                continue;
            };
            let holder = (record.run.workspace, planned.address);
            for (number, group) in &after.groups {
                if !before.groups.contains_key(number) && group.path == name {
                    self.world.ledger.add(Object::Group(*number), holder);
                }
            }
            for (number, project) in &after.projects {
                if !before.projects.contains_key(number) && project.path == name {
                    self.world.ledger.add(Object::Project(*number), holder);
                }
            }
        }
    }

    async fn run_in_process<'a>(
        &self,
        run: &'a Run,
        before: &mut Snapshot,
    ) -> anyhow::Result<Record<'a>> {
        let world = &self.world;
        let workspace = world
            .workspaces
            .get(run.workspace)
            .map(|workspace| (workspace.configuration.clone(), workspace.state.clone()));
        let (configuration, state) = workspace.unwrap_or_default();
        let block = world.provider(run.target, run.role, run.vault_role);
        let log = Arc::new(Mutex::new(Vec::new()));
        let options = PlanOptions {
            mode: match run.command {
                Command::Destroy => Mode::Destroy,
                Command::Apply | Command::Plan => Mode::Normal,
            },
            targets: run.targets.clone(),
            replaces: run.replaces.clone(),
            refreshes: !run.skips_refresh,
            order: run.order,
        };
        let planned = match Session::start(&block, Arc::clone(&log)).await {
            Ok(session) => plan(&session, &configuration, &state, &options).await,
            Err(errors) => Plan {
                refreshed: state.clone(),
                errors,
                ..Plan::default()
            },
        };
        let mut record = Record {
            run,
            refreshed: planned.refreshed.clone(),
            changes: planned.changes.clone(),
            is_applied: false,
            was_killed: false,
            state,
            written: BTreeSet::new(),
            errors: planned.errors.clone(),
            log: Vec::new(),
        };
        if !planned.errors.is_empty() || run.command == Command::Plan {
            record.log = entries(&log);
            return Ok(record);
        }
        if let Some(change) = &run.between {
            let _ = world.change_manually(change).await;
            *before = world.snapshot().await?;
        }
        let applied: Applied = Arc::new(Mutex::new(Progress {
            state: planned.refreshed.clone(),
            ..Progress::default()
        }));
        let injected = Injected::new(run.fault, world.server(run.target), &world.proxy)?;
        match Session::start(&block, Arc::clone(&log)).await {
            Ok(session) => {
                let options = ApplyOptions {
                    parallelism: run.parallelism,
                    order: run.order,
                    stop: run.fault.and_then(crate::step::Fault::stop),
                };
                let work = apply(
                    session,
                    configuration,
                    planned,
                    options,
                    Arc::clone(&applied),
                );
                record.was_killed = until_killed(work, &injected).await?;
            }
            Err(errors) => record.errors.extend(errors),
        }
        drop(injected);
        let progress = applied.lock().unwrap_or_else(PoisonError::into_inner);
        record.is_applied = true;
        record.state.clone_from(&progress.state);
        record.written.clone_from(&progress.written);
        record.errors.extend(progress.errors.iter().cloned());
        record.log = entries(&log);
        Ok(record)
    }

    /// Returns the calls of the run that were to change something.
    fn changing_calls(&self, target: Target, vault_calls: usize) -> Vec<String> {
        let journal = self.world.server(target).emulator.journal();
        let gitlab = journal
            .iter()
            .filter(|call| call.method != "GET" && call.method != "HEAD")
            .map(|call| format!("  GitLab: {} {} {:?}", call.method, call.path, call.status));
        let calls = self.world.proxy.calls();
        let vault = calls
            .as_slice()
            .iter()
            .skip(vault_calls)
            .filter(|call| call.method != "GET" && call.method != "LIST")
            .map(|call| format!("  Vault: {} {} {:?}", call.method, call.path, call.status))
            .collect::<Vec<_>>();
        gitlab.chain(vault).collect()
    }
}

/// Runs work like a process of its own, with all that it spawns, until it ends or is killed. Returns
/// whether it was killed.
async fn until_killed(
    work: impl Future<Output = ()> + Send + 'static,
    injected: &Injected<'_>,
) -> anyhow::Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let task = runtime.spawn(work);
    while !task.is_finished() && !injected.kills() {
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    let was_killed = !task.is_finished();
    runtime.shutdown_background();
    Ok(was_killed)
}

fn entries(log: &Arc<Mutex<Vec<String>>>) -> Vec<String> {
    log.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

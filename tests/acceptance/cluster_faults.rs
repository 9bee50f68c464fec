//! Clusters that fail while they are set up or removed, and runs that are killed meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use testbed::{Call, Calls, Failure, Fault, HeldCall, Hold, Inventory, Proxy};

use crate::cluster::Stack;
use crate::cluster_components::{rollouts, worker_with, written};
use crate::test_env::{Case, TestEnv};

/// Set to anything, it makes the kill matrix complete, which takes half an hour. Otherwise a third of the kinds
/// of calls is killed, each at one moment.
const ALL: &str = "TESTBED_ALL_KILLS";

/// How long the cluster may take to remove what belongs to a deleted namespace.
const GONE_LIMIT: Duration = Duration::from_secs(90);

/// A worker behind a proxy, in which one small component is to be installed.
struct Faulty {
    stack: Stack,
    proxy: Proxy,
    before: Everything,
}

/// All objects of the cluster, and all of Vault.
type Everything = (BTreeMap<String, Value>, Inventory);

impl Faulty {
    fn start() -> anyhow::Result<Self> {
        let stack = Stack::start()?;
        let proxy = stack.control_plane.start_proxy()?;
        let kubeconfig = fs::read_to_string(stack.control_plane.kubeconfig_through(&proxy)?)?;
        stack.env.workspace.write("kubeconfig", &kubeconfig)?;
        let component = rollouts(&[("v1alpha1", true)]);
        let component = written(&stack, "rollouts.yaml", &component, "v1.0.0")?;
        let worker = worker_with(&stack, &[("progressive_delivery", &component)]);
        let worker = worker.replace(&stack.control_plane.url(), &proxy.url());
        stack.env.write(&worker)?;
        let before = (
            stack.control_plane.snapshot()?,
            stack.env.vault()?.inventory()?,
        );
        Ok(Self {
            stack,
            proxy,
            before,
        })
    }

    fn env(&self) -> &TestEnv {
        &self.stack.env
    }

    /// Destroys everything, and checks that the cluster and Vault are as they were.
    fn destroy(&self) -> Case {
        self.env().workspace.destroy().context("the destroy")?;
        let inventory = self.env().vault()?.inventory()?;
        ensure!(inventory == self.before.1, "Vault holds {inventory:?}");
        let begun = Instant::now();
        loop {
            let objects = self.stack.control_plane.snapshot()?;
            if objects == self.before.0 {
                return Ok(());
            }
            if begun.elapsed() > GONE_LIMIT {
                let names = |objects: &BTreeMap<String, Value>| -> BTreeSet<String> {
                    objects.keys().cloned().collect()
                };
                let (now, before) = (names(&objects), names(&self.before.0));
                let changed = objects.iter().filter(|(path, object)| {
                    self.before.0.get(*path).is_some_and(|was| was != *object)
                });
                anyhow::bail!(
                    "left: {:?}; gone: {:?}; changed: {:?}",
                    now.difference(&before),
                    before.difference(&now),
                    changed.collect::<Vec<_>>()
                );
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Lets the lease of a killed run end at once, which takes a minute otherwise.
    fn end_leases(&self) -> Case {
        let cluster = &self.stack.control_plane;
        cluster.kubectl([
            "delete",
            "leases",
            "--all",
            "-n",
            "nautes",
            "--ignore-not-found",
        ])?;
        Ok(())
    }
}

/// The server that receives a call.
#[derive(Clone, Copy, Debug)]
enum Server {
    Kubernetes,
    Vault,
    GitLab,
}

/// The first write of its kind in an operation.
#[derive(Clone, Debug)]
struct Write {
    server: Server,
    call: Call,
    /// The number of calls that the server received before.
    skip: usize,
}

/// Names the kind of a write: the method, with the resource in Kubernetes, else the path.
fn kind(server: Server, call: &Call) -> String {
    let path = match server {
        Server::Kubernetes => resource(&call.path).to_owned(),
        Server::Vault | Server::GitLab => call.route.clone(),
    };
    format!("{server:?} {} {path}", call.method)
}

/// Returns the resource in a path of the Kubernetes API, such as `secrets`.
fn resource(path: &str) -> &str {
    let mut segments = path.trim_start_matches('/').split('/');
    let skip = if segments.next() == Some("apis") {
        2
    } else {
        1
    };
    let rest: Vec<&str> = segments.skip(skip).collect();
    match rest.as_slice() {
        ["namespaces", _, resource, ..] | [resource, ..] => resource,
        [] => "",
    }
}

impl Faulty {
    /// Runs a step, and returns the first write of each kind that it makes.
    fn writes_of(&self, step: impl FnOnce() -> Case) -> anyhow::Result<Vec<Write>> {
        let env = self.env();
        let vault = env.vault()?.proxy();
        let run = || env.gitlab.calls_during(step);
        let ((ran, of_cluster), of_vault) = vault.calls_during(|| self.proxy.calls_during(run));
        let (done, of_gitlab) = ran?;
        done?;
        let mut kinds = BTreeSet::new();
        let mut writes = Vec::new();
        for (server, calls) in [
            (Server::Kubernetes, of_cluster),
            (Server::Vault, of_vault),
            (Server::GitLab, of_gitlab),
        ] {
            let calls: &Calls = &calls;
            for (skip, call) in calls.as_slice().iter().enumerate() {
                // Vault itself asks the cluster whose token it is.
                let is_of_vault = call.path.contains("tokenreviews");
                if call.is_write() && !is_of_vault && kinds.insert(kind(server, call)) {
                    let call = call.clone();
                    writes.push(Write { server, call, skip });
                }
            }
        }
        Ok(writes)
    }

    fn hold(&self, write: &Write, hold: Hold) -> anyhow::Result<HeldCall<'_>> {
        let (method, path) = (&write.call.method, &write.call.path);
        Ok(match write.server {
            Server::Kubernetes => self.proxy.hold_call_to(method, path, hold),
            Server::Vault => self.env().vault()?.proxy().hold_call_to(method, path, hold),
            Server::GitLab => self.env().gitlab.hold_call(write.skip, hold)?,
        })
    }

    /// Kills the provider at a write.
    fn kill_at(&self, write: &Write, hold: Hold, arguments: &[&str]) -> Case {
        let held = self.hold(write, hold)?;
        let mut running = self.env().workspace.start_apply(arguments)?;
        let is_held = held.wait_until_held(|| running.has_ended())?;
        running.kill_providers();
        let finished = running.finish()?;
        self.proxy.clear_faults();
        self.env().vault()?.proxy().clear_faults();
        self.env().gitlab.clear_faults()?;
        ensure!(
            is_held,
            "the run ended without this call:\n{}",
            finished.text()
        );
        ensure!(finished.exit_code() == Some(1), "{}", finished.text());
        self.end_leases()
    }

    fn recover(&self, operation: &str, write: &Write, hold: Hold) -> Case {
        let workspace = &self.env().workspace;
        if operation == "destroy" {
            workspace.apply_with(&[])?;
            self.kill_at(write, hold, &["-destroy"])?;
        } else {
            self.kill_at(write, hold, &[])?;
            workspace.apply().context("the next apply")?;
        }
        self.destroy()
    }
}

/// Which moments a write of the kind with this index is killed at.
fn moments(index: usize) -> Vec<Hold> {
    let both = [Hold::BeforeEffect, Hold::AfterEffect];
    if std::env::var_os(ALL).is_some() {
        return both.into();
    }
    match (index % 3, index / 3 % 2) {
        (0, 0) => vec![Hold::BeforeEffect],
        (0, _) => vec![Hold::AfterEffect],
        _ => Vec::new(),
    }
}

#[test]
fn the_next_apply_finishes_a_cluster_after_a_kill_at_any_kind_of_write() -> Case {
    let faulty = Faulty::start()?;
    let workspace = &faulty.env().workspace;
    let create = faulty.writes_of(|| Ok(workspace.apply_with(&[]).map(drop)?))?;
    let destroy = faulty.writes_of(|| faulty.destroy())?;
    let mut failed = Vec::new();
    for (operation, writes) in [("create", create), ("destroy", destroy)] {
        ensure!(writes.len() > 3, "{operation} makes hardly a write");
        for (index, write) in writes.iter().enumerate() {
            for hold in moments(index) {
                let begun = Instant::now();
                let result = faulty.recover(operation, write, hold);
                let row = format!(
                    "{operation:<8}{:<60}{hold:?}",
                    kind(write.server, &write.call)
                );
                println!("{row:<85}{:>6.1} s", begun.elapsed().as_secs_f32());
                if let Err(error) = result {
                    failed.push(format!("{row}: {error:#}"));
                    // The next one begins anew.
                    faulty.destroy().with_context(|| failed.join("\n"))?;
                }
            }
        }
    }
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

#[test]
fn a_cluster_that_limits_fails_and_loses_calls_is_set_up_and_removed() -> Case {
    let faulty = Faulty::start()?;
    let workspace = &faulty.env().workspace;
    let failures = || {
        let unavailable = || Failure::RespondAfterEffect {
            status: 503,
            body: "unavailable".to_owned(),
        };
        [
            Fault::once(
                "PATCH",
                "/namespaces/nautes",
                Failure::TooManyRequests {
                    retry_after: Duration::from_secs(1),
                },
            ),
            Fault::once("PATCH", "/deployments/", unavailable()),
            Fault::once(
                "PATCH",
                "/customresourcedefinitions/",
                Failure::DropResponse,
            ),
            Fault::once("PATCH", "/serviceaccounts/", Failure::DropRequest),
            Fault::once("DELETE", "/deployments/", unavailable()),
            Fault::once("DELETE", "/namespaces/nautes", Failure::DropResponse),
            Fault::once("DELETE", "/secrets/", Failure::DropRequest),
            Fault {
                method: Some("GET".to_owned()),
                skip: 5,
                times: 2,
                ..Fault::always(Failure::Respond {
                    status: 500,
                    body: "etcd leader changed".to_owned(),
                })
            },
        ]
    };
    failures()
        .into_iter()
        .for_each(|fault| faulty.proxy.inject_fault(fault));
    workspace.apply()?;
    faulty.destroy()?;
    faulty.proxy.clear_faults();
    Ok(())
}

#[test]
fn an_api_server_that_restarts_during_an_apply_does_not_end_it() -> Case {
    let mut faulty = Faulty::start()?;
    let hold = Hold::For(Duration::from_millis(200));
    let held = faulty.proxy.hold_call_to("PATCH", "/deployments/", hold);
    let mut running = faulty.stack.env.workspace.start_apply(&[])?;
    let is_held = held.wait_until_held(|| running.has_ended())?;
    drop(held);
    ensure!(is_held, "{}", running.finish()?.text());
    faulty.stack.control_plane.restart_api_server()?;
    let finished = running.finish()?;
    ensure!(finished.exit_code() == Some(0), "{}", finished.text());
    faulty
        .env()
        .workspace
        .assert_empty_plan("after the restart")?;
    faulty.destroy()
}

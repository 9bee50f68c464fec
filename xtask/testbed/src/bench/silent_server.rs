//! P20: how long a run of 500 resources takes if a server does not answer.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::figure::{Figure, Value};
use super::metric::Metric;
use super::repositories::DESCRIPTION;
use super::setup::Bench;
use super::stack::Stack;

const LIMIT: Duration = Duration::from_secs(45);

/// A run that takes longer is ended.
const PATIENCE: Duration = Duration::from_secs(135);

const INTERVAL: Duration = Duration::from_millis(100);

/// The file of the provider block, whose arguments win over the environment.
const PROVIDER_BLOCK: &str = "provider_block.tf";

pub(super) const METRIC: Metric = Metric {
    id: "P20",
    title: "plan of 500 code repositories while a server does not answer",
    conclusion: "A server that is down costs a run one wait, not one for each resource.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let stack = &bench.repositories()?.stack;
    let silent = silent_server()?;
    let refusing = refusing_address()?;
    let values = [
        (
            failing_plan(stack, &gitlab_at(silent))?,
            " s, GitLab is silent",
        ),
        (
            failing_plan(stack, &gitlab_at(refusing))?,
            " s, GitLab refuses connections",
        ),
        (
            failing_plan(stack, &vault_at(silent))?,
            " s, Vault is silent",
        ),
        (
            failing_plan(stack, &vault_at(refusing))?,
            " s, Vault refuses connections",
        ),
    ];
    let limit = LIMIT.as_secs_f64();
    Ok(Figure::new(
        values
            .map(|(duration, unit)| Value::seconds(duration, limit, unit))
            .to_vec(),
        format!(
            "one plan each, {DESCRIPTION}; a plan is ended after {} s",
            PATIENCE.as_secs()
        ),
    ))
}

fn gitlab_at(address: SocketAddr) -> String {
    format!("provider \"nautes\" {{\n  gitlab = {{ url = \"http://{address}\" }}\n}}\n")
}

fn vault_at(address: SocketAddr) -> String {
    format!("provider \"nautes\" {{\n  vault = {{ address = \"http://{address}\" }}\n}}\n")
}

/// Plans with a provider block that names another server, and returns how long the plan takes to fail.
fn failing_plan(stack: &Stack, provider_block: &str) -> anyhow::Result<Duration> {
    stack.workspace.write(PROVIDER_BLOCK, provider_block)?;
    let started = Instant::now();
    let mut plan = stack
        .workspace
        .start(["plan", "-input=false", "-no-color"])?;
    while !plan.has_ended() && started.elapsed() < PATIENCE {
        thread::sleep(INTERVAL);
    }
    let duration = started.elapsed();
    if plan.has_ended() {
        let outcome = plan.finish()?;
        anyhow::ensure!(
            outcome.exit_code() == Some(1),
            "the plan did not fail:\n{}",
            outcome.stdout()
        );
    }
    stack.workspace.remove(PROVIDER_BLOCK)?;
    Ok(duration)
}

/// Starts a server that accepts connections and never answers, until this process ends.
fn silent_server() -> anyhow::Result<SocketAddr> {
    let listener = listen()?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        let mut connections = Vec::new();
        connections.extend(listener.incoming());
    });
    Ok(address)
}

/// Returns an address that refuses connections.
fn refusing_address() -> anyhow::Result<SocketAddr> {
    Ok(listen()?.local_addr()?)
}

fn listen() -> anyhow::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot listen on the loopback address")
}

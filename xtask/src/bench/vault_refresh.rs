//! P14: what a refresh of 500 code repositories asks of Vault if nothing has changed.

use super::bench_bed::Bench;
use super::calls::folders;
use super::figure::{Figure, Value};
use super::metric::Metric;
use super::repository_refresh::{REPOSITORIES, basis};

/// The listing of policies, and what logging in takes: the token and the mount.
const ONCE: usize = 1 + 2;

pub(super) const METRIC: Metric = Metric {
    id: "P14",
    title: "Vault calls to refresh 500 unchanged code repositories",
    conclusion: "A plan sees with one listing whether the credentials of a repository are all there, and reads none \
                 of them: what is in a secret is compared when something is applied.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let calls = bench.repository_refresh().calls(bench)?.vault;
    Ok(Figure::new(
        vec![Value::count(calls.count(), REPOSITORIES + ONCE, " calls")],
        format!("{}, signed in with a token: {}", basis(), folders(&calls)),
    ))
}

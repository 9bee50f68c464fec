//! P14: calls to Vault to refresh 500 unchanged code repositories.

use super::calls::by_first_segment;
use super::figure::{Figure, Value};
use super::metric::Metric;
use super::repositories::{REPOSITORIES, refresh_basis};
use super::setup::Bench;

/// The secrets of each repository, whose metadata is read: two deploy keys and the access token.
const SECRETS: usize = 3;

/// The listing of policies, and what a login takes: the token and the mount.
const ONCE: usize = 1 + 2;

pub(super) const METRIC: Metric = Metric {
    id: "P14",
    title: "Vault calls to refresh 500 unchanged code repositories",
    conclusion: "A plan sees from metadata whether the credentials of a repository are there, and reads no secret: \
                 contents are compared when something is applied.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let calls = bench.repositories()?.refresh_calls()?.vault;
    let limit = SECRETS * REPOSITORIES + ONCE;
    Ok(Figure::new(
        vec![Value::count(calls.count(), limit, " calls")],
        format!(
            "{}, logged in with a token: {}",
            refresh_basis(),
            by_first_segment(&calls)
        ),
    ))
}

//! P6: what a refresh of 500 entities asks GitLab if nothing has changed.

use super::bench_bed::Bench;
use super::bodies;
use super::calls::kinds;
use super::figure::{Figure, Value};
use super::metric::Metric;

const ENTITIES: usize = 500;

/// The head of the branch, the group and the project.
const LIMIT: usize = 1 + 2;

pub(super) const METRIC: Metric = Metric {
    id: "P6",
    title: "GitLab calls to refresh 500 unchanged entities",
    conclusion: "A plan of a product in which nothing has changed costs GitLab the same few calls however \
                 many entities the product has; reading each of them would cost one call each.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let bed = bench.bed(&bodies::product_with_entities(ENTITIES))?;
    // Has nothing to do, and notes at which commit everything was seen to be as it shall be.
    bed.calls_of_apply(&[])?;
    let calls = bed.calls_of_refresh()?;
    Ok(Figure::new(
        vec![Value::count(calls.count(), LIMIT, " calls")],
        format!(
            "one refresh after an apply that changed nothing: {}",
            kinds(&calls)
        ),
    ))
}

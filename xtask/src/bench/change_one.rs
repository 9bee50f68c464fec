//! P16: what it costs to change one entity of 500.

use super::bench_bed::Bench;
use super::bodies;
use super::calls::kinds;
use super::figure::{Figure, Value};
use super::metric::Metric;

const ENTITIES: usize = 500;

/// Five calls and the commit.
const LIMIT: usize = 5 + 1;

pub(super) const METRIC: Metric = Metric {
    id: "P16",
    title: "GitLab calls to change one entity of 500",
    conclusion: "A small change of a large product is a small run. The refresh of everything else is \
                 included, since whoever changes one entity waits for it too.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let bed = bench.bed(&bodies::product_with_entities(ENTITIES))?;
    bed.calls_of_apply(&[])?;
    bed.write(&bodies::product_with_one_in(ENTITIES, "go"))?;
    let with_refresh = bed.calls_of_apply(&[])?;
    bed.write(&bodies::product_with_one_in(ENTITIES, "zig"))?;
    let alone = bed.calls_of_apply(&["-refresh=false"])?;
    Ok(Figure::new(
        vec![Value::count(with_refresh.count(), LIMIT, " calls")],
        format!(
            "one apply, {} of them with `-refresh=false`: {}",
            alone.count(),
            kinds(&with_refresh)
        ),
    ))
}

//! P12: the most memory that the provider holds while it applies 1,000 entities.

use super::configurations::{PRODUCT, product_with_entities};
use super::figure::{Figure, Value, megabytes};
use super::metric::Metric;
use super::probe::watch;
use super::setup::Bench;

const ENTITIES: usize = 1_000;

pub(super) const METRIC: Metric = Metric {
    id: "P12",
    title: "peak memory, apply of 1,000 entities",
    conclusion: "This is the most memory that the provider takes beside Terraform. It parses the manifests of a \
                 repository once, not once for each resource.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let stack = bench.stack(PRODUCT)?;
    stack.write(&product_with_entities(ENTITIES))?;
    let usage = watch(&stack.workspace, stack.workspace.start_apply(&[])?)?;
    Ok(Figure::new(
        vec![Value::new(megabytes(usage.peak_memory), 60.0, " MB")],
        "one apply at parallelism 10; the largest of the provider's processes".to_owned(),
    ))
}

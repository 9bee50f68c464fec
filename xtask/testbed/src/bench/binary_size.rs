//! P3: the size of the released binary.

use std::fs;

use anyhow::Context;

use super::figure::{Figure, Value, megabytes};
use super::metric::Metric;
use super::setup::Bench;

pub(super) const METRIC: Metric = Metric {
    id: "P3",
    title: "released binary, stripped",
    conclusion: "Every installation and every remote run downloads the binary. It needs no shared library, so it runs \
                 on any Linux of its architecture.",
    measure,
};

/// Looks at the build of the release profile, which strips it.
fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let executable = &bench.provider()?.executable;
    let size = fs::metadata(executable)
        .with_context(|| format!("cannot look at {}", executable.display()))?
        .len();
    Ok(Figure::new(
        vec![Value::new(megabytes(size), 15.0, " MB")],
        bench.linkage().to_owned(),
    ))
}

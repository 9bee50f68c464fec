//! P3: the size of the released binary.

use std::fs;

use anyhow::Context;

use super::bench_bed::Bench;
use super::figure::{Figure, Value, megabytes};
use super::metric::Metric;

pub(super) const METRIC: Metric = Metric {
    id: "P3",
    title: "released binary, stripped",
    conclusion: "Every installation and every remote run downloads the binary; it needs no shared library, so \
                 that it runs on any Linux of its architecture.",
    measure,
};

/// Looks at the release build, which the profile strips.
fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let executable = &bench.provider().executable;
    let size = fs::metadata(executable)
        .with_context(|| format!("cannot look at {}", executable.display()))?
        .len();
    Ok(Figure::new(
        vec![Value::new(megabytes(size), 15.0, " MB")],
        bench.linkage().to_owned(),
    ))
}

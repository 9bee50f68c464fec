//! P3: the size of the released binary.

use std::fs;

use anyhow::Context;

use super::bench_bed::Bench;
use super::figure::{Figure, Value, megabytes};

/// Looks at the release build, which the profile strips.
pub(super) fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let executable = &bench.provider().executable;
    let size = fs::metadata(executable)
        .with_context(|| format!("cannot look at {}", executable.display()))?
        .len();
    Ok(Figure {
        id: "P3",
        metric: "released binary, stripped",
        values: vec![Value {
            measured: megabytes(size),
            limit: 15.0,
            unit: " MB",
        }],
        basis: bench.linkage().to_owned(),
    })
}

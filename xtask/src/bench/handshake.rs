//! P1: from the start of the process to the handshake line.

use super::bench_bed::Bench;
use super::figure::{Figure, TIMES_FLOOR, Value};
use super::metric::Metric;
use super::process::start;
use super::sample::medians_in_turn;

const STARTS: usize = 30;

pub(super) const METRIC: Metric = Metric {
    id: "P1",
    title: "process start to handshake, mutual TLS",
    conclusion: "Terraform starts the provider several times in a run. If the ratio to the floor is near 1, \
                 a start takes no more than any process with mutual TLS needs.",
    measure,
};

/// Starts both providers in turn; each start is followed by a call over mutual TLS.
fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let (ours, floor) = medians_in_turn(
        STARTS,
        || Ok(start(&bench.provider().executable)?.to_handshake),
        || Ok(start(&bench.floor().executable)?.to_handshake),
    )?;
    let milliseconds = ours.as_secs_f64() * 1000.0;
    Ok(Figure::new(
        vec![
            Value::new(milliseconds, 7.0, " ms"),
            Value::new(ours.as_secs_f64() / floor.as_secs_f64(), 2.0, TIMES_FLOOR),
        ],
        format!(
            "{STARTS} starts each; floor {:.2} ms",
            floor.as_secs_f64() * 1000.0
        ),
    ))
}

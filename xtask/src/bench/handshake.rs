//! P1: from the start of the process to the handshake line.

use super::bench_bed::Bench;
use super::figure::{Figure, TIMES_FLOOR, Value};
use super::process::start;
use super::sample::medians_in_turn;

const STARTS: usize = 30;

/// Starts both providers in turn; each start is followed by a call over mutual TLS.
pub(super) fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let (ours, floor) = medians_in_turn(
        STARTS,
        || Ok(start(&bench.provider().executable)?.to_handshake),
        || Ok(start(&bench.floor().executable)?.to_handshake),
    )?;
    let milliseconds = ours.as_secs_f64() * 1000.0;
    Ok(Figure {
        id: "P1",
        metric: "process start to handshake, mutual TLS",
        values: vec![
            Value {
                measured: milliseconds,
                limit: 7.0,
                unit: " ms",
            },
            Value {
                measured: ours.as_secs_f64() / floor.as_secs_f64(),
                limit: 2.0,
                unit: TIMES_FLOOR,
            },
        ],
        basis: format!(
            "{STARTS} starts each; floor {:.2} ms",
            floor.as_secs_f64() * 1000.0
        ),
    })
}

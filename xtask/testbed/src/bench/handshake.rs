//! P1: from the start of the process to the handshake line.

use testbed::Provider;

use super::figure::{Figure, TIMES_FLOOR, Value};
use super::metric::Metric;
use super::provider_start::start;
use super::sample::medians_in_turn;
use super::setup::Bench;

const STARTS: usize = 30;

pub(super) const METRIC: Metric = Metric {
    id: "P1",
    title: "process start to handshake, mutual TLS",
    conclusion: "Terraform starts the provider several times in a run. If the ratio to the floor is near 1, a start \
                 takes no more than any process with mutual TLS needs.",
    measure,
};

/// Starts both providers in turn; each start is followed by a call over mutual TLS.
fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let start = |provider: &Provider| {
        let executable = provider.executable.clone();
        move || Ok(start(&executable)?.to_handshake)
    };
    let [provider, floor] =
        medians_in_turn(STARTS, [start(bench.provider()?), start(bench.floor()?)])?;
    Ok(Figure::new(
        vec![
            Value::new(provider.as_secs_f64() * 1000.0, 7.0, " ms"),
            Value::new(
                provider.as_secs_f64() / floor.as_secs_f64(),
                2.0,
                TIMES_FLOOR,
            ),
        ],
        format!(
            "{STARTS} starts each; floor {:.2} ms",
            floor.as_secs_f64() * 1000.0
        ),
    ))
}

//! P19: processor time to refresh 500 code repositories after the head has moved.

use std::time::Duration;

use super::figure::{Figure, Value};
use super::metric::Metric;
use super::probe::watch;
use super::repositories::DESCRIPTION;
use super::sample::median;
use super::setup::Bench;
use super::stack::Stack;

const ROUNDS: usize = 3;

pub(super) const METRIC: Metric = Metric {
    id: "P19",
    title: "provider's processor time to refresh 500 code repositories, moved head over unmoved",
    conclusion: "After somebody else's commit the manifests of a product are read and evaluated once for all its \
                 repositories. If the target is met, that adds little to a refresh.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let stack = &bench.repositories()?.stack;
    // Without changes, so that the state knows the head.
    stack.apply(&[])?;
    let unmoved = refresh(stack)?;
    stack.commit("create", "notes.txt", "Nothing that a manifest says.\n")?;
    let moved = refresh(stack)?;
    stack.commit("delete", "notes.txt", "")?;
    Ok(Figure::new(
        vec![Value::new(
            moved.as_secs_f64() / unmoved.as_secs_f64(),
            1.5,
            "x",
        )],
        format!(
            "{ROUNDS} refreshes each, medians: {:.2} s, {:.2} s after an apply without changes; {DESCRIPTION}",
            moved.as_secs_f64(),
            unmoved.as_secs_f64(),
        ),
    ))
}

/// Refreshes some times, and returns the median of the provider's processor time.
fn refresh(stack: &Stack) -> anyhow::Result<Duration> {
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let command =
            stack
                .workspace
                .start(["plan", "-refresh-only", "-input=false", "-no-color"])?;
        times.push(watch(&stack.workspace, command)?.cpu_time);
    }
    Ok(median(&times).unwrap_or_default())
}

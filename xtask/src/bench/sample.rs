//! Repeated measurements.

use std::time::{Duration, Instant};

/// The middle value; of two middle values the lower. None without values.
pub(super) fn median<T: Copy + PartialOrd>(values: &[T]) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

/// Measures two things in turn, so that what else the machine does falls on both, and returns medians.
///
/// Both are measured once before it counts.
pub(super) fn medians_in_turn<T: Copy + PartialOrd + Default>(
    rounds: usize,
    mut first: impl FnMut() -> anyhow::Result<T>,
    mut second: impl FnMut() -> anyhow::Result<T>,
) -> anyhow::Result<(T, T)> {
    first()?;
    second()?;
    let mut firsts = Vec::with_capacity(rounds);
    let mut seconds = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        firsts.push(first()?);
        seconds.push(second()?);
    }
    Ok((
        median(&firsts).unwrap_or_default(),
        median(&seconds).unwrap_or_default(),
    ))
}

/// How long the work takes.
pub(super) fn time<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<Duration> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_lower_of_two_middles() {
        assert_eq!(median(&[3, 1, 2]), Some(2));
        assert_eq!(median(&[4, 1, 3, 2]), Some(2));
        assert_eq!(median::<u8>(&[]), None);
    }
}

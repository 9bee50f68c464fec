//! Repeated measurements.

use std::time::{Duration, Instant};

/// Returns the middle value, or the lower of two middle values; `None` without values.
pub(super) fn median<T: Copy + PartialOrd>(values: &[T]) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

/// Takes several measurements in turn, so that other load on the machine affects all of them, and returns their
/// medians. A first round warms up and does not count.
pub(super) fn medians_in_turn<T, F, const N: usize>(
    rounds: usize,
    mut measurements: [F; N],
) -> anyhow::Result<[T; N]>
where
    T: Copy + PartialOrd + Default,
    F: FnMut() -> anyhow::Result<T>,
{
    let mut samples: [Vec<T>; N] = std::array::from_fn(|_| Vec::with_capacity(rounds));
    for round in 0..=rounds {
        for (measure, samples) in measurements.iter_mut().zip(&mut samples) {
            let sample = measure()?;
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    Ok(samples.map(|samples| median(&samples).unwrap_or_default()))
}

/// Returns how long the work takes.
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

    #[test]
    fn the_first_round_does_not_count() {
        let measurement = |first: u32| {
            let mut next = first;
            move || {
                next += 1;
                Ok(if next == first + 1 { 1_000 } else { next })
            }
        };
        let medians = medians_in_turn(3, [measurement(0), measurement(10)]).unwrap();
        assert_eq!(medians, [3, 13]);
    }
}

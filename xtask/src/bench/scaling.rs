//! How the effort grows with the number of entities, for several parallelisms.

use super::bench_bed::Bench;
use super::chart::{Chart, Line};
use super::figure::number;
use super::mass_run::{MassRun, Scale};

/// The number of entities that the targets are about.
pub(super) const ENTITIES: usize = 500;

/// The numbers of entities of the charts.
const SIZES: [usize; 5] = [10, 50, 100, 250, ENTITIES];

/// The sizes measured one by one: the effort is proportional there, and larger ones take minutes.
const ONE_BY_ONE: [usize; 2] = [10, 100];

/// Terraform's `-parallelism` beside one by one.
const PARALLELISMS: [usize; 2] = [10, 50];

/// What is read off a run.
pub(super) type Reading = fn(&MassRun) -> f64;

/// The run that the targets are about.
pub(super) fn all(bench: &Bench, parallelism: usize) -> anyhow::Result<MassRun> {
    let scale = Scale {
        entities: ENTITIES,
        parallelism,
    };
    bench.mass_runs().at(bench, scale)
}

/// What 500 entities would take one by one, computed from the smaller numbers that were measured.
pub(super) fn all_one_by_one(bench: &Bench, reading: Reading) -> anyhow::Result<f64> {
    Ok(extrapolate(
        &points(bench, 1, &ONE_BY_ONE, reading)?,
        ENTITIES,
    ))
}

/// How the extrapolation is told.
pub(super) fn one_by_one_basis() -> String {
    let [fewer, more] = ONE_BY_ONE;
    format!("computed from {fewer} and {more} measured at parallelism 1")
}

/// Draws a reading over the number of entities, a line for each parallelism.
pub(super) fn chart(
    bench: &Bench,
    file: &'static str,
    (title, y): (&'static str, &'static str),
    reading: Reading,
) -> anyhow::Result<Chart> {
    let one_by_one = points(bench, 1, &ONE_BY_ONE, reading)?;
    let mut lines = vec![Line {
        label: "parallelism 1 (dashed: computed)".to_owned(),
        extrapolated: vec![(number(ENTITIES), extrapolate(&one_by_one, ENTITIES))],
        measured: one_by_one,
    }];
    for parallelism in PARALLELISMS {
        lines.push(Line {
            label: format!("parallelism {parallelism}"),
            measured: points(bench, parallelism, &SIZES, reading)?,
            extrapolated: Vec::new(),
        });
    }
    Ok(Chart {
        file,
        title,
        x: "entities",
        y,
        lines,
    })
}

fn points(
    bench: &Bench,
    parallelism: usize,
    sizes: &[usize],
    reading: Reading,
) -> anyhow::Result<Vec<(f64, f64)>> {
    sizes
        .iter()
        .map(|&entities| {
            let scale = Scale {
                entities,
                parallelism,
            };
            let run = bench.mass_runs().at(bench, scale)?;
            Ok((number(entities), reading(&run)))
        })
        .collect()
}

/// Goes on in a straight line through the first and the last point; zero if there are not two.
fn extrapolate(points: &[(f64, f64)], size: usize) -> f64 {
    let [(first, least), .., (last, most)] = points else {
        return 0.0;
    };
    let each = (most - least) / (last - first);
    most + each * (number(size) - last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_run_takes_counts_once_and_what_every_entity_takes_counts_for_each() {
        let cost = |entities| (entities, 2.0 + 0.5 * entities);
        let reckoned = extrapolate(&[cost(10.0), cost(100.0)], 500);
        assert!((reckoned - 252.0).abs() < 1e-9, "{reckoned}");
    }
}

//! How the effort grows with the number of entities, for several parallelisms.

use super::chart::{Chart, Line};
use super::figure::number;
use super::mass_run::{MassRun, Scale};
use super::setup::Bench;

/// The number of entities that the targets name.
pub(super) const ENTITIES: usize = 500;

/// The numbers of entities of the charts.
const SIZES: [usize; 5] = [10, 50, 100, 250, ENTITIES];

/// The sizes that are measured one by one. The effort is proportional there, and larger ones take minutes.
const SERIAL_SIZES: [usize; 2] = [10, 100];

/// Terraform's `-parallelism` beside one by one.
const PARALLELISMS: [usize; 2] = [10, 50];

/// Takes a value from a run.
pub(super) type Reading = fn(&MassRun) -> f64;

/// Returns the run that the targets name.
pub(super) fn full_run(bench: &Bench, parallelism: usize) -> anyhow::Result<MassRun> {
    let scale = Scale {
        entities: ENTITIES,
        parallelism,
    };
    bench.mass_runs().at(bench, scale)
}

/// Computes what 500 entities would take one by one, from the smaller numbers that were measured.
pub(super) fn extrapolated_serial_run(bench: &Bench, reading: Reading) -> anyhow::Result<f64> {
    Ok(extrapolate(
        &points(bench, 1, &SERIAL_SIZES, reading)?,
        ENTITIES,
    ))
}

/// Describes the extrapolation in words.
pub(super) fn serial_basis() -> String {
    let [fewer, more] = SERIAL_SIZES;
    format!("computed from {fewer} and {more} measured at parallelism 1")
}

/// Charts a value over the number of entities, with a line for each parallelism.
pub(super) fn chart(
    bench: &Bench,
    file: &'static str,
    (title, y): (&'static str, &'static str),
    reading: Reading,
) -> anyhow::Result<Chart> {
    let serial = points(bench, 1, &SERIAL_SIZES, reading)?;
    let mut lines = vec![Line {
        label: "parallelism 1 (dashed: computed)".to_owned(),
        extrapolated: vec![(number(ENTITIES), extrapolate(&serial, ENTITIES))],
        measured: serial,
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

/// Extends the straight line through the first and the last point; zero if there are not two points.
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
    fn a_fixed_cost_counts_once_and_a_cost_per_entity_for_each() {
        let cost = |entities| (entities, 2.0 + 0.5 * entities);
        let extrapolated = extrapolate(&[cost(10.0), cost(100.0)], 500);
        assert!((extrapolated - 252.0).abs() < 1e-9, "{extrapolated}");
    }
}

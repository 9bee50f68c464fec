//! The page of figures.

use super::figure::{Figure, Value};

/// The figures as a table in Markdown.
pub(super) fn table(figures: &[Figure]) -> String {
    let head =
        "| # | Metric | Measured | Target | Verdict | Taken from |\n|---|---|---|---|---|---|\n";
    head.to_owned() + &figures.iter().map(row).collect::<String>()
}

fn row(figure: &Figure) -> String {
    let all = |text: fn(&Value) -> String| {
        figure
            .values
            .iter()
            .map(text)
            .collect::<Vec<_>>()
            .join(", ")
    };
    format!(
        "| {} | {} | {} | at most {} | {} | {} |\n",
        figure.id,
        figure.metric,
        all(|value| format!("{:.2}{}", value.measured, value.unit)),
        all(|value| format!("{}{}", value.limit, value.unit)),
        if figure.is_met() { "met" } else { "**missed**" },
        figure.basis,
    )
}

/// The whole page.
pub(super) fn page(table: &str, machine: &str) -> String {
    format!(
        "\
# Benchmarks

Written by `cargo xtask bench`; run it to measure again. It builds the provider and the floor for
release, statically linked where the target allows it.

Machine: {machine}.

{table}
\"Floor\" is a provider on the same framework that does nothing (`crates/terraform-plugin/examples/floor.rs`). Both
are measured in turn, one after the other, and medians are compared, so that what else the machine does
falls on both. Absolute figures depend on the machine; ratios hardly do.
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_above_one_of_its_limits_is_missed() {
        let value = |measured| Value {
            measured,
            limit: 2.0,
            unit: "x floor",
        };
        let figure = |values| Figure {
            id: "P0",
            metric: "m",
            values,
            basis: "b".to_owned(),
        };
        assert!(
            row(&figure(vec![value(2.0)])).contains("| 2.00x floor | at most 2x floor | met |")
        );
        assert!(row(&figure(vec![value(1.0), value(2.1)])).contains("| **missed** |"));
    }
}

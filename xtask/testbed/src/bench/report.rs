//! The page of figures. A new figure replaces the earlier one of its metric; the others stay.

use std::collections::BTreeMap;

use super::figure::{Figure, Value};
use super::metric::Metric;

const MACHINE: &str = "Machine: ";

/// The figures on a page, and the machine on which they were measured.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Report {
    machine: String,
    /// The table rows, by the id of the metric.
    rows: BTreeMap<String, String>,
}

impl Report {
    /// Creates a report without figures.
    pub(super) fn new(machine: String) -> Self {
        Self {
            machine,
            rows: BTreeMap::new(),
        }
    }

    /// Parses a page that [`Report::page`] rendered; `None` if it names no machine.
    pub(super) fn parse(page: &str) -> Option<Self> {
        let machine = page.lines().find_map(|line| line.strip_prefix(MACHINE))?;
        let row = |line: &str| {
            let id = line.strip_prefix("| P")?.split_once(" |")?.0;
            let is_number = id.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| (format!("P{id}"), line.to_owned()))
        };
        Some(Self {
            machine: machine.trim_end_matches('.').to_owned(),
            rows: page.lines().filter_map(row).collect(),
        })
    }

    /// Returns the machine on which the figures were measured.
    pub(super) fn machine(&self) -> &str {
        &self.machine
    }

    /// Inserts a figure, or replaces the earlier one.
    pub(super) fn insert(&mut self, metric: &Metric, figure: &Figure) {
        self.rows.insert(metric.id.to_owned(), row(metric, figure));
    }

    /// Renders the figures of some metrics as a table in Markdown.
    pub(super) fn table<'a>(&self, metrics: impl IntoIterator<Item = &'a Metric>) -> String {
        let head = [
            "| # | Metric | Measured | Target | Result | Basis |",
            "|---|---|---|---|---|---|",
        ];
        let rows = metrics
            .into_iter()
            .filter_map(|metric| self.rows.get(metric.id));
        let lines: Vec<_> = head.into_iter().chain(rows.map(String::as_str)).collect();
        lines.join("\n")
    }

    /// Renders the whole page in Markdown.
    pub(super) fn page(&self, metrics: &[Metric]) -> String {
        let conclusions: Vec<_> = metrics
            .iter()
            .map(|metric| {
                let Metric {
                    id,
                    title,
                    conclusion,
                    ..
                } = metric;
                format!("- **{id}**, {title}: {conclusion}")
            })
            .collect();
        let conclusions = conclusions.join("\n");
        let table = self.table(metrics);
        let machine = &self.machine;
        format!(
            "\
# Benchmarks

`cargo xtask bench` writes this page; `cargo xtask bench P8 P9` measures only the metrics that it names. The
provider, the floor and the emulator are built for release, statically linked where the target allows it.

{MACHINE}{machine}.

{table}

\"Floor\" is a provider on the same framework that does nothing (`crates/terraform-plugin/examples/floor.rs`). What
is compared is measured in turn, and the ratio is that of medians, so that other load on the machine affects both
sides. Absolute figures depend on the machine, ratios hardly, and counts of calls not at all. How many changes
fit into one commit depends on how quickly Terraform sends them, and so on the machine and its load. A result
says how much of its target the value takes up that comes closest to it.

GitLab is the emulator of this repository, on loopback; Terraform and OpenBao, which stands for Vault, are the real
ones. The emulator answers at once, except where latencies are named, which are those of a GitLab that is neither
idle nor busy. Unless a metric says otherwise, half of the entities are environments and the others projects.

## What a reader can conclude

{conclusions}

## How it grows

Creation of entities in an existing product, with the latencies that P8 and P9 name. The dashed line is computed,
not measured: one by one, each entity takes a commit of its own and the same time.

![Commits over the number of entities, for parallelism 1, 10 and 50](benchmarks-commits.svg)

![Seconds over the number of entities, for parallelism 1, 10 and 50](benchmarks-wall-time.svg)
"
        )
    }
}

fn row(metric: &Metric, figure: &Figure) -> String {
    let all = |text: fn(&Value) -> String| {
        let texts: Vec<_> = figure.values.iter().map(text).collect();
        texts.join(", ")
    };
    format!(
        "| {} | {} | {} | at most {} | {} | {} |",
        metric.id,
        metric.title,
        all(|value| format!("{:.*}{}", value.decimals, value.measured, value.unit)),
        all(|value| format!("{}{}", value.limit, value.unit)),
        result(figure),
        figure.basis,
    )
}

fn result(figure: &Figure) -> String {
    let share = figure.share();
    let values = if share <= 1.0 {
        format!("met, at {:.0} %", share * 100.0)
    } else {
        // A miss is never shown as one by 0 %.
        format!("**missed** by {:.0} %", (share * 100.0 - 100.0).ceil())
    };
    match figure.fault {
        Some(fault) => format!("{values}; **missed**: {fault}"),
        None => values,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn metric(id: &'static str) -> Metric {
        Metric {
            id,
            title: "m",
            conclusion: "It is quick.",
            measure: |_| anyhow::bail!("not to be measured"),
        }
    }

    const METRICS: [Metric; 3] = [metric("P2"), metric("P9"), metric("P10")];

    fn figure(measured: &[f64]) -> Figure {
        let value = |measured: &f64| Value::new(*measured, 2.0, "x floor");
        Figure::new(measured.iter().map(value).collect(), "b".to_owned())
    }

    #[test]
    fn a_figure_at_its_limit_is_met() {
        let row = row(&METRICS[0], &figure(&[2.0, 1.0]));
        let expected = "| P2 | m | 2.00x floor, 1.00x floor | at most 2x floor, 2x floor | met, at 100 % | b |";
        assert_eq!(row, expected);
    }

    #[test]
    fn a_figure_above_a_limit_is_missed_by_its_worst_value() {
        let of = |measured: &[f64]| result(&figure(measured));
        assert_eq!(of(&[1.0, 2.5, 2.1]), "**missed** by 25 %");
        assert_eq!(of(&[2.001]), "**missed** by 1 %");
    }

    #[test]
    fn a_fault_misses_the_target() {
        let figure = figure(&[1.0]).with_fault("it fails");
        assert!(!figure.is_met());
        assert_eq!(result(&figure), "met, at 50 %; **missed**: it fails");
    }

    #[test]
    fn counts_have_no_decimals() {
        let figure = Figure::new(vec![Value::count(3, 4, " calls")], String::new());
        assert!(row(&METRICS[0], &figure).contains("| 3 calls | at most 4 calls | met, at 75 % |"));
    }

    #[test]
    fn a_rendered_page_parses_to_the_same_report() {
        let mut report = Report::new("linux, 2 cores (A. B.)".to_owned());
        report.insert(&METRICS[0], &figure(&[1.0]));
        report.insert(&METRICS[2], &figure(&[3.0]));
        let page = report.page(&METRICS);
        assert!(page.contains("- **P10**, m: It is quick."), "{page}");
        assert_eq!(Report::parse(&page), Some(report));
        assert_eq!(Report::parse("# Something else\n"), None);
    }

    #[test]
    fn a_new_figure_replaces_only_its_row() {
        let mut report = Report::new("linux".to_owned());
        report.insert(&METRICS[2], &figure(&[1.0]));
        report.insert(&METRICS[0], &figure(&[1.0]));
        let mut again = Report::parse(&report.page(&METRICS)).unwrap();
        again.insert(&METRICS[2], &figure(&[9.0]));
        again.insert(&METRICS[1], &figure(&[0.5]));
        let table = again.table(&METRICS);
        let rows: Vec<_> = table.lines().skip(2).collect();
        let expected = [(0, 1.0), (1, 0.5), (2, 9.0)];
        assert_eq!(
            rows,
            expected.map(|(index, value)| row(&METRICS[index], &figure(&[value])))
        );
    }
}

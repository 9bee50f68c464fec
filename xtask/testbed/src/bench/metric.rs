//! What is measured, and what a reader can conclude from it.

use super::figure::Figure;
use super::setup::Bench;

/// One metric; each file of a metric defines one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Metric {
    /// The number in the list of targets, such as `P1`.
    pub(super) id: &'static str,
    /// What is measured.
    pub(super) title: &'static str,
    /// What a reader can conclude from the figure, in a few sentences that hold for any value.
    pub(super) conclusion: &'static str,
    /// Measures it.
    pub(super) measure: fn(&Bench) -> anyhow::Result<Figure>,
}

/// Returns the named metrics in the order of `all`, or all of them without names.
pub(super) fn select<'a>(all: &'a [Metric], names: &[String]) -> anyhow::Result<Vec<&'a Metric>> {
    let is_named = |metric: &Metric, name: &String| metric.id.eq_ignore_ascii_case(name);
    if let Some(unknown) = names
        .iter()
        .find(|name| !all.iter().any(|metric| is_named(metric, name)))
    {
        let known: Vec<_> = all.iter().map(|metric| metric.id).collect();
        anyhow::bail!("unknown metric {unknown}; known are {}", known.join(", "));
    }
    Ok(all
        .iter()
        .filter(|metric| names.is_empty() || names.iter().any(|name| is_named(metric, name)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn metric(id: &'static str) -> Metric {
        Metric {
            id,
            title: "t",
            conclusion: "c",
            measure: |_| anyhow::bail!("not to be measured"),
        }
    }

    fn selected(names: &[&str]) -> anyhow::Result<Vec<&'static str>> {
        const ALL: [Metric; 3] = [metric("P1"), metric("P2"), metric("P10")];
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        Ok(select(&ALL, &names)?
            .iter()
            .map(|metric| metric.id)
            .collect())
    }

    #[test]
    fn named_metrics_are_selected_in_the_order_of_the_list() {
        assert_eq!(selected(&["p10", "P1"]).unwrap(), ["P1", "P10"]);
        assert_eq!(selected(&[]).unwrap(), ["P1", "P2", "P10"]);
    }

    #[test]
    fn an_error_about_an_unknown_name_lists_the_known_ones() {
        let error = selected(&["P1", "P7"]).unwrap_err().to_string();
        assert_eq!(error, "unknown metric P7; known are P1, P2, P10");
    }
}

//! What an attack has done and found.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use crate::campaign::Case;
use crate::execute::Outcome;
use crate::invariant::Violation;
use crate::step::Step;

/// Steps that violated the invariant.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    /// What the steps were shortened for.
    pub(crate) kind: String,
    pub(crate) seed: u64,
    pub(crate) steps: Vec<Step>,
    pub(crate) violations: Vec<Violation>,
    pub(crate) log: Vec<String>,
}

/// What an attack has done and found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) cases: usize,
    pub(crate) worlds: usize,
    pub(crate) steps: usize,
    counts: BTreeMap<String, usize>,
    /// Errors by their summaries, for whether the steps reach what they are to reach.
    errors: BTreeMap<String, usize>,
    pub(crate) findings: Vec<Finding>,
}

impl Finding {
    fn has(&self, kind: &str) -> bool {
        self.violations.iter().any(|found| found.kind == kind)
    }

    fn case(&self) -> Case {
        Case {
            title: self.kind.clone(),
            seed: self.seed,
            steps: self.steps.clone(),
        }
    }
}

impl Report {
    /// Counts a step.
    pub(crate) fn count(&mut self, step: &Step, outcome: &Outcome) {
        self.steps += 1;
        for label in step.labels() {
            *self.counts.entry(label).or_default() += 1;
        }
        for error in &outcome.errors {
            let summary = match error.split_once("error: ") {
                Some((_, message)) => message.split(": ").next().unwrap_or(message),
                None => error,
            };
            let summary: String = summary.chars().take(90).collect();
            *self.errors.entry(summary).or_default() += 1;
        }
    }

    /// Whether a violation of this kind was found already.
    pub(crate) fn knows(&self, kind: &str) -> bool {
        self.findings.iter().any(|finding| finding.has(kind))
    }

    /// Puts a shorter list of steps in the place of a longer one.
    pub(crate) fn replace(&mut self, kind: &str, shorter: Finding) {
        let mut findings = self.findings.iter_mut();
        if let Some(finding) = findings.find(|finding| finding.kind == kind) {
            *finding = shorter;
        }
    }
}

impl Display for Report {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "attack: {} cases, {} worlds, {} steps",
            self.cases, self.worlds, self.steps
        )?;
        for (label, count) in &self.counts {
            writeln!(formatter, "  {count:>6} {label}")?;
        }
        writeln!(formatter, "errors that Terraform would show:")?;
        for (summary, count) in &self.errors {
            writeln!(formatter, "  {count:>6} {summary}")?;
        }
        writeln!(formatter, "{} violations", self.findings.len())?;
        for finding in &self.findings {
            writeln!(formatter, "\n=== {} (seed {})", finding.kind, finding.seed)?;
            for Violation { kind, detail } in &finding.violations {
                writeln!(formatter, "{kind}: {detail}")?;
            }
            writeln!(formatter, "--- the last violating step")?;
            for line in &finding.log {
                writeln!(formatter, "{line}")?;
            }
            writeln!(formatter, "--- for tests/attack/cases.json")?;
            write_case(formatter, &finding.case())?;
        }
        Ok(())
    }
}

/// Writes a case as JSON, with a line for each step.
fn write_case(formatter: &mut Formatter<'_>, case: &Case) -> fmt::Result {
    let json = |value: Result<String, serde_json::Error>| value.map_err(|_| fmt::Error);
    let title = json(serde_json::to_string(&case.title))?;
    writeln!(
        formatter,
        "{{ \"title\": {title}, \"seed\": {}, \"steps\": [",
        case.seed
    )?;
    let steps = case.steps.iter().map(serde_json::to_string);
    let steps: Result<Vec<_>, _> = steps.collect();
    let steps = steps.map_err(|_| fmt::Error)?;
    writeln!(formatter, "  {}\n] }}", steps.join(",\n  "))
}

//! A measured figure and its targets.

use std::time::Duration;

use super::chart::Chart;

/// What measuring one metric gave.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figure {
    /// The values, each with the most it may be.
    pub(super) values: Vec<Value>,
    /// What the values were taken from, such as `20 starts, floor 3.1 ms`.
    pub(super) basis: String,
    /// A picture of how the values come about, if there is one.
    pub(super) chart: Option<Chart>,
}

/// One value with its limit, in the same unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Value {
    /// What was measured.
    pub(super) measured: f64,
    /// The most it may be.
    pub(super) limit: f64,
    /// How many digits after the point are shown of what was measured.
    pub(super) decimals: usize,
    /// The unit, with the space in front of it if there is one, and what the value is of if there are several.
    pub(super) unit: &'static str,
}

impl Figure {
    /// A figure without a chart.
    pub(super) fn new(values: Vec<Value>, basis: String) -> Self {
        Self {
            values,
            basis,
            chart: None,
        }
    }

    /// The same with a chart.
    #[must_use]
    pub(super) fn with_chart(self, chart: Chart) -> Self {
        Self {
            chart: Some(chart),
            ..self
        }
    }

    /// The greatest part of its limit that a value takes up; more than 1 if a limit is not kept.
    pub(super) fn share(&self) -> f64 {
        self.values
            .iter()
            .map(|value| value.measured / value.limit)
            .fold(0.0, f64::max)
    }

    /// Whether every value keeps its limit.
    pub(super) fn is_met(&self) -> bool {
        self.share() <= 1.0
    }
}

impl Value {
    /// A value that is known to two digits after the point.
    pub(super) fn new(measured: f64, limit: f64, unit: &'static str) -> Self {
        Self {
            measured,
            limit,
            decimals: 2,
            unit,
        }
    }

    /// A duration in seconds.
    pub(super) fn seconds(measured: Duration, limit: f64, unit: &'static str) -> Self {
        Self {
            decimals: 1,
            ..Self::new(measured.as_secs_f64(), limit, unit)
        }
    }

    /// A number of things.
    pub(super) fn count(measured: usize, limit: usize, unit: &'static str) -> Self {
        Self {
            decimals: 0,
            ..Self::new(number(measured), number(limit), unit)
        }
    }
}

/// The unit of a ratio to the floor.
pub(super) const TIMES_FLOOR: &str = "x floor";

/// A count as a number to reckon with.
pub(super) fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Bytes as megabytes (10^6), exact to the kilobyte.
pub(super) fn megabytes(bytes: u64) -> f64 {
    let kilobytes = u32::try_from(bytes / 1000).unwrap_or(u32::MAX);
    f64::from(kilobytes) / 1000.0
}

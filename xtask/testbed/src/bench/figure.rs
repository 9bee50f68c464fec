//! A measured figure and its targets.

use std::time::Duration;

use super::chart::Chart;

/// The result of measuring one metric.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figure {
    /// The values, each with its limit.
    pub(super) values: Vec<Value>,
    /// What was measured, such as `20 starts, floor 3.1 ms`.
    pub(super) basis: String,
    /// What misses the target although the values meet it.
    pub(super) fault: Option<&'static str>,
    /// A chart for the report.
    pub(super) chart: Option<Chart>,
}

/// One value with its limit, in the same unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Value {
    /// The measured value.
    pub(super) measured: f64,
    /// The largest value that meets the target.
    pub(super) limit: f64,
    /// How many decimals of the measured value are shown.
    pub(super) decimals: usize,
    /// The unit, with a leading space if it needs one; with several values, also what this one is.
    pub(super) unit: &'static str,
}

impl Figure {
    /// Creates a figure without a fault and a chart.
    pub(super) fn new(values: Vec<Value>, basis: String) -> Self {
        Self {
            values,
            basis,
            fault: None,
            chart: None,
        }
    }

    /// Adds something that misses the target although the values meet it.
    #[must_use]
    pub(super) fn with_fault(self, fault: &'static str) -> Self {
        Self {
            fault: Some(fault),
            ..self
        }
    }

    /// Adds a chart.
    #[must_use]
    pub(super) fn with_chart(self, chart: Chart) -> Self {
        Self {
            chart: Some(chart),
            ..self
        }
    }

    /// Returns the largest share of its limit that a value takes up; more than 1 if a limit is exceeded.
    pub(super) fn share(&self) -> f64 {
        self.values
            .iter()
            .map(|value| value.measured / value.limit)
            .fold(0.0, f64::max)
    }

    /// Whether every value is within its limit and there is no fault.
    pub(super) fn is_met(&self) -> bool {
        self.share() <= 1.0 && self.fault.is_none()
    }
}

impl Value {
    /// Creates a value with two decimals.
    pub(super) fn new(measured: f64, limit: f64, unit: &'static str) -> Self {
        Self {
            measured,
            limit,
            decimals: 2,
            unit,
        }
    }

    /// Creates a duration in seconds.
    pub(super) fn seconds(measured: Duration, limit: f64, unit: &'static str) -> Self {
        Self {
            decimals: 1,
            ..Self::new(measured.as_secs_f64(), limit, unit)
        }
    }

    /// Creates a count.
    pub(super) fn count(measured: usize, limit: usize, unit: &'static str) -> Self {
        Self {
            decimals: 0,
            ..Self::new(number(measured), number(limit), unit)
        }
    }
}

/// The unit of a ratio to the floor.
pub(super) const TIMES_FLOOR: &str = "x floor";

/// Converts a count to a floating-point number.
pub(super) fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Converts bytes to megabytes (10^6), exact to the kilobyte.
pub(super) fn megabytes(bytes: u64) -> f64 {
    let kilobytes = u32::try_from(bytes / 1000).unwrap_or(u32::MAX);
    f64::from(kilobytes) / 1000.0
}

//! A measured figure and its targets.

/// One metric, measured.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figure {
    /// The number in the list of targets, such as `P1`.
    pub(super) id: &'static str,
    /// What is measured.
    pub(super) metric: &'static str,
    /// The values, each with the most it may be.
    pub(super) values: Vec<Value>,
    /// What the values were taken from, such as `20 starts, floor 3.1 ms`.
    pub(super) basis: String,
}

/// One value with its limit, in the same unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Value {
    /// What was measured.
    pub(super) measured: f64,
    /// The most it may be.
    pub(super) limit: f64,
    /// The unit, with the space in front of it if there is one.
    pub(super) unit: &'static str,
}

impl Figure {
    /// Whether every value keeps its limit.
    pub(super) fn is_met(&self) -> bool {
        self.values
            .iter()
            .all(|value| value.measured <= value.limit)
    }
}

/// The unit of a ratio to the floor.
pub(super) const TIMES_FLOOR: &str = "x floor";

/// Bytes as megabytes (10^6), exact to the kilobyte.
pub(super) fn megabytes(bytes: u64) -> f64 {
    let kilobytes = u32::try_from(bytes / 1000).unwrap_or(u32::MAX);
    f64::from(kilobytes) / 1000.0
}

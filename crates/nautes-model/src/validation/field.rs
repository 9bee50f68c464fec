//! Paths to Terraform attributes.

use std::fmt;

/// One step into an attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// An attribute of an object.
    Attribute(&'static str),
    /// An element of a list.
    Index(usize),
    /// An element of a map.
    Key(String),
}

/// The path to an attribute of a resource: `event_sources["on-push"].gitlab.code_repo`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath {
    steps: Vec<Step>,
}

impl FieldPath {
    /// Makes the path to an attribute of the resource.
    pub fn new(attribute: &'static str) -> Self {
        Self {
            steps: vec![Step::Attribute(attribute)],
        }
    }

    /// Appends an attribute of an object.
    #[must_use]
    pub fn attribute(mut self, attribute: &'static str) -> Self {
        self.steps.push(Step::Attribute(attribute));
        self
    }

    /// Appends an element of a list.
    #[must_use]
    pub fn index(mut self, index: usize) -> Self {
        self.steps.push(Step::Index(index));
        self
    }

    /// Appends an element of a map.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.steps.push(Step::Key(key.into()));
        self
    }

    /// Returns the steps. The first one is an attribute.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.steps.iter().enumerate() {
            match step {
                Step::Attribute(attribute) if position == 0 => formatter.write_str(attribute)?,
                Step::Attribute(attribute) => write!(formatter, ".{attribute}")?,
                Step::Index(index) => write!(formatter, "[{index}]")?,
                Step::Key(key) => write!(formatter, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_like_in_terraform() {
        let path = FieldPath::new("event_sources")
            .key("on-push")
            .attribute("gitlab")
            .attribute("events");
        assert_eq!(path.to_string(), "event_sources[\"on-push\"].gitlab.events");
        assert_eq!(
            FieldPath::new("pipeline_triggers").index(2).to_string(),
            "pipeline_triggers[2]"
        );
    }
}

//! Paths to parts of a value, used in diagnostics and in lists of attributes that require replacement.

use std::fmt::{self, Display, Formatter};

use crate::protocol::tfplugin6::{AttributePath, attribute_path};

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// An attribute of an object.
    Attribute(String),
    /// An element of a map.
    Key(String),
    /// An element of a list or tuple, counted from zero.
    Index(i64),
}

/// A path from the root of a resource, data source or provider to one of its parts.
///
/// Elements of sets have no address, so a path into a set ends at the set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Path {
    steps: Vec<Step>,
    ends_at_set: bool,
}

impl Path {
    /// Returns the path to the whole value.
    pub fn root() -> Self {
        Self::default()
    }

    /// Returns the path to an attribute of the root.
    pub fn to(attribute: impl Into<String>) -> Self {
        Self::root().attribute(attribute)
    }

    /// Returns the path to an attribute below this one.
    #[must_use]
    pub fn attribute(&self, name: impl Into<String>) -> Self {
        self.push_step(Step::Attribute(name.into()))
    }

    /// Returns the path to an element of the map at this path.
    #[must_use]
    pub fn key(&self, key: impl Into<String>) -> Self {
        self.push_step(Step::Key(key.into()))
    }

    /// Returns the path to an element of the list at this path.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.push_step(Step::Index(i64::try_from(index).unwrap_or(i64::MAX)))
    }

    /// Returns the path to an element of the set at this path, which is the path to the set itself.
    #[must_use]
    pub fn set_element(&self) -> Self {
        Self {
            ends_at_set: true,
            ..self.clone()
        }
    }

    /// Returns `true` if the path leads to the elements of a set.
    pub(crate) fn is_set_element(&self) -> bool {
        self.ends_at_set
    }

    /// Returns `true` if the path is `prefix` or leads to a part of it.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.steps.starts_with(&prefix.steps)
    }

    /// Returns the steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    fn push_step(&self, step: Step) -> Self {
        let mut path = self.clone();
        if !path.ends_at_set {
            path.steps.push(step);
        }
        path
    }
}

impl Display for Path {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (position, step) in self.steps.iter().enumerate() {
            match step {
                Step::Attribute(name) if position == 0 => formatter.write_str(name)?,
                Step::Attribute(name) => write!(formatter, ".{name}")?,
                Step::Key(key) => write!(formatter, "[{key:?}]")?,
                Step::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl From<&Path> for AttributePath {
    fn from(path: &Path) -> Self {
        use attribute_path::step::Selector;
        let steps = path.steps.iter().map(|step| attribute_path::Step {
            selector: Some(match step {
                Step::Attribute(name) => Selector::AttributeName(name.clone()),
                Step::Key(key) => Selector::ElementKeyString(key.clone()),
                Step::Index(index) => Selector::ElementKeyInt(*index),
            }),
        });
        Self {
            steps: steps.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_into_a_set_ends_at_the_set() {
        let path = Path::to("rules").set_element().attribute("port");
        assert_eq!(path.steps(), Path::to("rules").steps());
    }

    #[test]
    fn a_path_is_displayed_as_in_a_configuration() {
        let path = Path::to("sources")
            .key("on-push")
            .attribute("events")
            .index(0);
        assert_eq!(path.to_string(), "sources[\"on-push\"].events[0]");
    }
}

//! The `timeouts` attribute and its defaults.

use std::time::Duration;

use crate::model::Model;
use crate::schema::Validator;
use crate::value::Value;

/// How long operations of this resource may take.
#[derive(Debug, Clone, PartialEq, Eq, Model)]
pub struct Timeouts {
    /// Longest duration of the creation.
    #[tf(validate(duration()))]
    pub create: Option<String>,
    /// Longest duration of a refresh.
    #[tf(validate(duration()))]
    pub read: Option<String>,
    /// Longest duration of an update.
    #[tf(validate(duration()))]
    pub update: Option<String>,
    /// Longest duration of the deletion.
    #[tf(validate(duration()))]
    pub delete: Option<String>,
}

fn duration() -> Validator {
    let description = "Must be a duration such as `30s`, `10m` or `1h30m`.";
    Validator::new(
        description,
        |text: &String| match humantime::parse_duration(text) {
            Ok(duration) if !duration.is_zero() => Ok(()),
            Ok(_) => Err("The duration must be greater than zero.".to_owned()),
            Err(error) => Err(format!(
                "{text:?} is not a duration such as 30s, 10m or 1h30m: {error}."
            )),
        },
    )
}

/// The time limits of operations for which the user sets none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultTimeouts {
    /// The limit of a creation.
    pub create: Duration,
    /// The limit of a refresh or import.
    pub read: Duration,
    /// The limit of an update.
    pub update: Duration,
    /// The limit of a deletion.
    pub delete: Duration,
}

/// The kinds of operations that have a time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperationKind {
    Create,
    Read,
    Update,
    Delete,
}

impl OperationKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl DefaultTimeouts {
    /// Returns the same limit for every operation.
    pub const fn all(seconds: u64) -> Self {
        let limit = Duration::from_secs(seconds);
        Self {
            create: limit,
            read: limit,
            update: limit,
            delete: limit,
        }
    }

    /// Returns the limit from the object's `timeouts` attribute, or the default.
    pub(crate) fn limit(&self, operation_kind: OperationKind, object: &Value) -> Duration {
        let configured = object
            .attribute("timeouts")
            .attribute(operation_kind.name())
            .as_str();
        let configured = configured.and_then(|text| humantime::parse_duration(text).ok());
        configured.unwrap_or(match operation_kind {
            OperationKind::Create => self.create,
            OperationKind::Read => self.read,
            OperationKind::Update => self.update,
            OperationKind::Delete => self.delete,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Path;

    #[test]
    fn the_attribute_takes_precedence_over_the_default() {
        let timeouts = Value::object([("delete", Value::string("1h30m"))]);
        let object = Value::object([("timeouts", timeouts)]);
        let defaults = DefaultTimeouts::all(60);
        assert_eq!(
            defaults.limit(OperationKind::Delete, &object),
            Duration::from_secs(5400)
        );
        assert_eq!(
            defaults.limit(OperationKind::Create, &object),
            Duration::from_secs(60)
        );
        assert_eq!(
            defaults.limit(OperationKind::Create, &Value::Null),
            Duration::from_secs(60)
        );
    }

    #[test]
    fn malformed_durations_are_errors() {
        for text in ["", "10", "ten minutes", "0s", "-5m"] {
            assert!(
                duration()
                    .check(&Value::string(text), &Path::root())
                    .has_error(),
                "{text:?}"
            );
        }
        for text in ["30s", "10m", "1h30m", "8736h"] {
            assert!(
                duration()
                    .check(&Value::string(text), &Path::root())
                    .is_empty(),
                "{text:?}"
            );
        }
    }
}

//! Values that may be null or unknown.

use super::Path;

/// A value that may be null or unknown.
///
/// Models use it for computed attributes, which are unknown until an operation sets them. In the plan view of a model
/// every field is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Tf<T> {
    /// Absent.
    #[default]
    Null,
    /// Not known before apply.
    Unknown,
    /// Present.
    Known(T),
}

pub use Tf::Known;

/// The provider used a value that is not known: a bug in the provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the value of {path} is not known")]
pub struct UnknownValue {
    /// The attribute.
    pub path: Path,
}

impl<T> Tf<T> {
    /// Returns the known value.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Null | Self::Unknown => None,
        }
    }

    /// Returns the known value, consuming this one.
    pub fn into_known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Null | Self::Unknown => None,
        }
    }

    /// Returns the known value, or an error that names the attribute.
    pub fn require_known(&self, attribute: &str) -> Result<&T, UnknownValue> {
        self.known().ok_or_else(|| UnknownValue {
            path: Path::to(attribute),
        })
    }

    /// Returns `true` if the value is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns `true` if the value is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Sets a value that is unknown so far, as a provider does at apply with what the plan left open.
    pub fn set_if_unknown(&mut self, value: Self) {
        if self.is_unknown() {
            *self = value;
        }
    }

    /// Applies a function to the known value.
    pub fn map<U>(self, function: impl FnOnce(T) -> U) -> Tf<U> {
        match self {
            Self::Null => Tf::Null,
            Self::Unknown => Tf::Unknown,
            Self::Known(value) => Tf::Known(function(value)),
        }
    }

    /// Converts from `&Tf<T>` to `Tf<&T>`.
    pub fn as_ref(&self) -> Tf<&T> {
        match self {
            Self::Null => Tf::Null,
            Self::Unknown => Tf::Unknown,
            Self::Known(value) => Tf::Known(value),
        }
    }
}

impl<T> From<T> for Tf<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T> From<Option<T>> for Tf<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Known)
    }
}

/// The value of a write-only attribute: available during an operation, never in plan or state.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct WriteOnly<T>(Option<T>);

impl<T> WriteOnly<T> {
    /// Returns the value in the configuration.
    pub fn configured(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T> From<Option<T>> for WriteOnly<T> {
    fn from(value: Option<T>) -> Self {
        Self(value)
    }
}

impl<T> std::fmt::Debug for WriteOnly<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("write-only")
    }
}

//! What has changed in an object since it was applied.
//!
//! A comparison takes what would be applied and the object as the server has it, and looks at nothing but the
//! fields that would be applied: what others add is theirs. `managedFields` says which fields the manager
//! still owns, and how the elements of a list are told apart.
//!
//! The server may store a value in another form (`1000m` as `1`), and admission may change one, so a
//! difference is a suspicion. [`confirm`] holds it against what the server answers to a dry run.

mod compare;
mod owned;

pub use self::compare::{confirm, suspect};

use std::fmt;

/// A field that is not as it was applied. It never holds the value, which may be secret.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Difference {
    /// The field as a JSON pointer, such as `/spec/replicas`; empty for the whole object.
    pub pointer: String,
    /// What is different.
    pub kind: DifferenceKind,
}

/// What is different about a field.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum DifferenceKind {
    /// It is gone.
    Missing,
    /// It has another value.
    Changed,
    /// It has the applied value, but the manager no longer owns it.
    NotOwned,
    /// It was applied earlier and would not be applied any more.
    Surplus,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = match self.pointer.as_str() {
            "" => "the object",
            pointer => pointer,
        };
        write!(f, "{field} {}", self.kind)
    }
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "is missing",
            Self::Changed => "has changed",
            Self::NotOwned => "is owned by another field manager",
            Self::Surplus => "is no longer wanted",
        })
    }
}

//! The kinds of things that a provider can register.

use std::fmt::{self, Display, Formatter};

/// A kind of thing that a provider can register. Names are unique within a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Resource,
    DataSource,
    Function,
    EphemeralResource,
    ListResource,
    Action,
}

impl Kind {
    /// Returns the field of log lines that holds the type name, the same as in HashiCorp's own providers.
    pub(crate) fn log_key(self) -> &'static str {
        match self {
            Self::Resource => "tf_resource_type",
            Self::DataSource => "tf_data_source_type",
            Self::Function => "tf_function_name",
            Self::EphemeralResource => "tf_ephemeral_resource_type",
            Self::ListResource => "tf_list_resource_type",
            Self::Action => "tf_action_type",
        }
    }
}

impl Display for Kind {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Resource => "resource",
            Self::DataSource => "data source",
            Self::Function => "function",
            Self::EphemeralResource => "ephemeral resource",
            Self::ListResource => "list resource",
            Self::Action => "action",
        })
    }
}

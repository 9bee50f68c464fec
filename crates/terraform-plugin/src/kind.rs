//! What a provider can have several of.

use std::fmt::{self, Display, Formatter};

/// What a provider can have several of; names are unique within a kind.
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
    /// The key by which log lines name one of the kind; users' tools look for those of HashiCorp's own providers.
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

//! Schemas: what users may write and what the provider computes, with the planning behaviour of every attribute.

mod attribute;
mod check;
mod configuration;
mod environment;
mod validator;
mod wire;

pub use attribute::{
    Attribute, AttributeKind, Attributes, Nesting, OnChange, Presence, SiblingRule,
};
pub(crate) use check::fault_of_name;
pub use check::{Root, SchemaFault};
pub(crate) use configuration::check_configuration;
pub(crate) use environment::fill_from_environment;
pub use validator::{Validator, each, one_of};

use crate::value::Type;

/// The schema of a resource, data source or provider.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    /// The version of the stored shape; raise it with every change that old state does not fit.
    pub version: i64,
    /// Markdown.
    pub description: String,
    /// The attributes by name.
    pub attributes: Attributes,
    /// Why the whole kind is deprecated, and what to use instead.
    pub deprecation: Option<String>,
}

impl Schema {
    /// Returns a schema of version 0.
    pub fn new(description: impl Into<String>, attributes: Attributes) -> Self {
        Self {
            description: description.into(),
            attributes,
            ..Self::default()
        }
    }

    /// Returns the type of the values that the schema describes.
    pub fn value_type(&self) -> Type {
        attribute::object_type(&self.attributes)
    }

    /// Returns the schema of a data source with the same attributes: the named ones are arguments, the rest computed.
    #[must_use]
    pub fn as_data_source(mut self, required: &[&str], optional: &[&str]) -> Self {
        for (name, attribute) in &mut self.attributes {
            attribute.for_data_source(if required.contains(&name.as_str()) {
                Presence::Required
            } else if optional.contains(&name.as_str()) {
                Presence::OptionalComputed
            } else {
                Presence::Computed
            });
        }
        self.attributes
            .retain(|_, attribute| attribute.presence() != Presence::WriteOnly);
        self
    }

    /// Returns the schema of arguments without a result: what has a default is merely optional.
    pub(crate) fn into_arguments(mut self) -> Self {
        self.attributes
            .values_mut()
            .for_each(Attribute::without_result);
        self
    }

    /// Lists what Terraform would refuse or what could not work, by Terraform's own rules and a few stricter ones.
    ///
    /// `subject` says in the faults whose schema it is, such as `resource cloud_bucket`.
    pub fn faults(&self, subject: &str, root: Root) -> Vec<SchemaFault> {
        check::faults(self, subject, root)
    }
}

//! Schemas: the attributes of resources, data sources and providers, with their planning behaviour.

mod attribute;
mod check;
mod configuration;
mod default;
mod environment;
mod identity;
mod validator;
mod wire;

pub use attribute::{
    Attribute, AttributeKind, Attributes, Nesting, OnChange, Presence, SiblingRule,
};
#[doc(hidden)]
pub use attribute::{LostOption, add_attribute, require_optional_type};
pub(crate) use check::name_fault;
pub use check::{SchemaFault, SchemaKind};
pub(crate) use configuration::check_configuration;
#[doc(hidden)]
pub use default::DefaultFor;
pub(crate) use environment::{check_variable_names, fill_from_environment};
pub(crate) use identity::identity_faults;
pub use validator::{Validator, each, one_of};

use crate::value::Type;

/// The schema of a resource, data source or provider.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    /// The version of the stored state. Increase it with every incompatible change.
    pub version: i64,
    /// The description, in Markdown.
    pub description: String,
    /// The attributes by name.
    pub attributes: Attributes,
    /// Why the whole kind is deprecated, and its replacement.
    pub deprecation: Option<String>,
}

impl Schema {
    /// Returns a schema with version 0.
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

    /// Returns the schema of a data source with the same attributes: the named ones are arguments, the others computed.
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

    /// Returns the schema of a kind that returns no result: attributes with a default become optional.
    pub(crate) fn into_arguments(mut self) -> Self {
        self.attributes
            .values_mut()
            .for_each(Attribute::remove_computed);
        self
    }

    /// Returns the violations of Terraform's rules and of a few stricter ones.
    ///
    /// `subject` is the owner of the schema in the messages, such as `resource cloud_bucket`.
    pub fn faults(&self, subject: &str, kind: SchemaKind) -> Vec<SchemaFault> {
        check::faults(self, subject, kind)
    }
}

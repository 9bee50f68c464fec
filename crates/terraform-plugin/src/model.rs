//! Models: one struct defines the schema, the state and the conversions of a resource, data source or provider.

pub use terraform_plugin_derive::Model;

use crate::schema::{Attributes, Schema};
use crate::value::AttributeValue;

/// A struct whose fields are attributes. Derive it.
///
/// A field's type decides whether its attribute is required, optional or computed (see [`AttributeValue`]). Its doc
/// comment is the description, and `#[tf(…)]` lists builder methods of [`Attribute`](crate::schema::Attribute):
///
/// ```
/// use terraform_plugin::model::Model;
/// use terraform_plugin::value::Tf;
///
/// /// A bucket that holds objects.
/// #[derive(Model)]
/// struct Bucket {
///     /// Name of the bucket.
///     #[tf(replace)]
///     name: String,
///     /// Class of the storage.
///     #[tf(default("standard"))]
///     class: String,
///     /// Free text.
///     note: Option<String>,
///     /// Identifier of the bucket.
///     #[tf(stable)]
///     id: Tf<String>,
/// }
/// ```
///
/// `#[tf(flatten)]` on a field whose type is a model adds that model's attributes to the struct's own. It takes no other
/// options: they belong on the fields of that model.
///
/// The macro also generates `BucketPlan`, the view of a configuration or plan, in which every field is a
/// [`Tf`](crate::value::Tf). A model can be the type of a field too: `Owner` or `Vec<Owner>` is a nested attribute.
pub trait Model: AttributeValue {
    /// The description, in Markdown.
    const DESCRIPTION: &'static str;

    /// Returns the attributes by name.
    fn attributes() -> Attributes;

    /// Returns the schema, with version 0.
    fn schema() -> Schema {
        Schema::new(Self::DESCRIPTION, Self::attributes())
    }
}

/// The plan view of a model.
pub type PlanOf<M> = <M as AttributeValue>::Plan;

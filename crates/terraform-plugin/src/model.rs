//! Models: one struct is the schema, the state and the conversion of a resource, data source or provider.

pub use terraform_plugin_derive::Model;

use crate::schema::{Attributes, Schema};
use crate::value::AttributeValue;

/// A struct whose fields are attributes; derive it.
///
/// The type of a field says who sets the attribute (see [`AttributeValue`]), its doc comment describes it, and
/// `#[tf(…)]` lists builder methods of [`Attribute`](crate::schema::Attribute):
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
///     #[tf(default("standard".to_owned()))]
///     class: String,
///     /// Text for people.
///     note: Option<String>,
///     /// Identifier of the bucket.
///     #[tf(stable)]
///     id: Tf<String>,
/// }
/// ```
///
/// `#[tf(flatten)]` on a field whose type is a model puts that model's attributes beside the others.
///
/// The macro also makes `BucketPlan`, in which every field is a [`Tf`](crate::value::Tf): the view of a configuration
/// or plan. Models are attributes too: a field of type `Owner` or `Vec<Owner>` is a nested attribute.
pub trait Model: AttributeValue {
    /// Markdown.
    const DESCRIPTION: &'static str;

    /// The attributes by name.
    fn attributes() -> Attributes;

    /// The schema, of version 0.
    fn schema() -> Schema {
        Schema::new(Self::DESCRIPTION, Self::attributes())
    }
}

/// The plan view of a model.
pub type PlanOf<M> = <M as AttributeValue>::Plan;

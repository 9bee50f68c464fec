//! The marks by which objects of runtimes are known.

use kubernetes_apply::object::Object;
use nautes_model::ProductId;

use super::registry::RuntimeKey;
use crate::clusters::PRODUCT_LABEL;

/// The annotation of an object that belongs to one runtime, with its kind, product and name.
pub(crate) const OWNER_ANNOTATION: &str = "nautes.terraform/owner";

/// Marks an object as that of one runtime.
#[must_use]
pub(crate) fn mark(mut object: Object, runtime: &RuntimeKey) -> Object {
    object.set_label(PRODUCT_LABEL, &runtime.product.to_string());
    object.set_annotation(OWNER_ANNOTATION, &runtime.to_string());
    object
}

/// Marks an object that the runtimes of a product share.
#[must_use]
pub(super) fn mark_shared(mut object: Object, product: ProductId) -> Object {
    object.set_label(PRODUCT_LABEL, &product.to_string());
    object
}

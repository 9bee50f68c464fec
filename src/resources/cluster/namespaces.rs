//! Namespaces of others in which the provider has objects.

use futures_util::future::join_all;
use kubernetes_apply::cluster::{ApiError, Cluster, Detail};
use kubernetes_apply::object::Object;
use terraform_plugin::diagnostics::Diagnostics;

use crate::clusters::owner;
use crate::diagnostics::Context as _;

/// Leaves out the namespaces that exist without the provider's label: they are used as they are, and neither labelled
/// nor deleted.
pub(super) async fn without_foreign_namespaces(
    cluster: &Cluster,
    objects: Vec<Object>,
    attempt: &str,
) -> Result<Vec<Object>, Diagnostics> {
    let label = owner().context(attempt)?.label;
    let look_ups = objects.iter().map(|object| find_namespace(cluster, object));
    let found = join_all(look_ups).await;
    let mut kept = Vec::new();
    for (object, found) in objects.into_iter().zip(found) {
        let is_foreign = found
            .context(attempt)?
            .is_some_and(|found| !label.is_on(&found));
        if !is_foreign {
            kept.push(object);
        }
    }
    Ok(kept)
}

/// Returns what the cluster has of an object if it is a namespace.
async fn find_namespace(cluster: &Cluster, object: &Object) -> Result<Option<Object>, ApiError> {
    let reference = object.reference();
    if !reference.kind.is("", "Namespace") {
        return Ok(None);
    }
    cluster
        .find(&object.kind(), None, &reference.name, Detail::Metadata)
        .await
}

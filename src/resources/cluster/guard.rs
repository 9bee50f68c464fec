//! What keeps a cluster from being destroyed.

use kubernetes_apply::cluster::{Cluster, Detail};
use kubernetes_apply::object::{Kind, Object};
use nautes_model::EntityName;
use serde_json::Value;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use crate::clusters::{FACTS, Facts, NAMESPACE, PRODUCT_LABEL, REGISTRY_PREFIX};
use crate::diagnostics::Context as _;

/// How many objects an error names.
const SHOWN: usize = 5;

/// Checks that a cluster is not registered under another name, whose objects, accounts and tokens would be taken over or
/// removed.
pub(super) async fn require_entry(
    cluster: &Cluster,
    name: &EntityName,
    attempt: &str,
) -> Result<(), Diagnostics> {
    let kind = Kind::new("v1", "ConfigMap");
    let found = cluster
        .find(&kind, Some(NAMESPACE), FACTS, Detail::Full)
        .await;
    let facts = found.context(attempt)?.as_ref().and_then(Facts::parse);
    let Some(facts) = facts.filter(|facts| facts.name != name.as_str()) else {
        return Ok(());
    };
    let detail = format!(
        "It is registered as {}, by which the provider knows what it has made there (ConfigMap {NAMESPACE}/{FACTS}). Nothing was changed. Use that nautes_cluster; or destroy it first, and then give the cluster another name.",
        facts.name
    );
    Err(Diagnostic::error(
        format!("Cannot {attempt}: the cluster has another name already"),
        detail,
    )
    .at(&Path::to("name"))
    .into())
}

/// Checks that no product has a runtime or a namespace in a cluster.
///
/// This is not one of the model's rules that can be skipped: what is in the cluster would have no owner any more.
pub(super) async fn check_unused(cluster: &Cluster, name: &EntityName) -> Result<(), Diagnostics> {
    let attempt = format!("look for what products have in the cluster {name}");
    let kind = Kind::new("v1", "ConfigMap");
    let registries = cluster.list(&kind, Some(NAMESPACE), "", Detail::Full).await;
    let registries = registries.context(&attempt)?;
    let kind = Kind::new("v1", "Namespace");
    let namespaces = cluster
        .list(&kind, None, PRODUCT_LABEL, Detail::Metadata)
        .await;
    let namespaces = namespaces.context(&attempt)?;
    let mut found = runtimes_in(&registries);
    found.extend(namespaces.iter().map(describe_namespace));
    if found.is_empty() {
        return Ok(());
    }
    let others = found.len().saturating_sub(SHOWN);
    let mut shown = found.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ");
    if others > 0 {
        shown = format!("{shown} and {others} more");
    }
    let detail = format!(
        "It holds {shown}. Nothing was changed. Destroy the runtimes first; a namespace that nothing needs any more is deleted by hand (kubectl delete namespace), or let go by taking off its label {PRODUCT_LABEL}."
    );
    Err(Diagnostic::error(
        format!("Cannot remove the cluster {name}: products use it"),
        detail,
    )
    .into())
}

/// Describes the runtimes that registries record.
pub(super) fn runtimes_in(config_maps: &[Object]) -> Vec<String> {
    let mut runtimes = Vec::new();
    for found in config_maps {
        let product = found.reference().name.strip_prefix(REGISTRY_PREFIX);
        let data = found.get("/data").and_then(Value::as_object);
        if let (Some(product), Some(data)) = (product, data) {
            let keys = data
                .keys()
                .map(|key| format!("the runtime {key} of {product}"));
            runtimes.extend(keys);
        }
    }
    runtimes
}

fn describe_namespace(found: &Object) -> String {
    let product = found.label(PRODUCT_LABEL).unwrap_or_default();
    format!("the namespace {} of {product}", found.reference().name)
}

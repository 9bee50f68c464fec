//! The namespaces of a product, and who works in them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::SharedContext;
use crate::runtime::registry::Contribution;

const RBAC: &str = "rbac.authorization.k8s.io";

/// The role of members and accounts in the namespaces of their product.
const ROLE: &str = "admin";

/// Returns the objects in the order in which they are created.
pub(super) fn objects(contributions: &[&Contribution], context: &SharedContext) -> Vec<Value> {
    let product = context.product.to_string();
    let spaces: BTreeSet<&str> = contributions
        .iter()
        .flat_map(|contribution| contribution.spaces.iter().map(String::as_str))
        .collect();
    let mut objects = vec![namespace(&product)];
    objects.extend(spaces.iter().map(|space| namespace(space)));
    objects.push(members(&product, context));
    for space in &spaces {
        objects.push(if context.has_hierarchies {
            hierarchy(space, &product)
        } else {
            members(space, context)
        });
    }
    for (account, space) in accounts(contributions) {
        objects.push(json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": { "namespace": space, "name": account },
        }));
        let subject = json!({ "kind": "ServiceAccount", "namespace": space, "name": account });
        objects.push(role_binding(space, account, &subject));
    }
    objects
}

/// Returns the accounts with their namespaces.
pub(super) fn accounts<'c>(contributions: &[&'c Contribution]) -> BTreeSet<(&'c str, &'c str)> {
    let pairs = contributions.iter().flat_map(|contribution| {
        let account = contribution.account.as_deref();
        let spaces = contribution.spaces.iter();
        account
            .into_iter()
            .flat_map(move |account| spaces.clone().map(move |space| (account, space.as_str())))
    });
    pairs.collect()
}

fn namespace(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } })
}

fn hierarchy(space: &str, parent: &str) -> Value {
    json!({
        "apiVersion": "hnc.x-k8s.io/v1alpha2",
        "kind": "HierarchyConfiguration",
        "metadata": { "namespace": space, "name": "hierarchy" },
        "spec": { "parent": parent },
    })
}

/// Binds the members of the product, whose binding is called after it in each namespace.
fn members(namespace: &str, context: &SharedContext) -> Value {
    let SharedContext {
        members,
        groups_prefix,
        product,
        ..
    } = context;
    let group = format!("{groups_prefix}{members}");
    let subject = json!({ "apiGroup": RBAC, "kind": "Group", "name": group });
    role_binding(namespace, &product.to_string(), &subject)
}

fn role_binding(namespace: &str, name: &str, subject: &Value) -> Value {
    json!({
        "apiVersion": format!("{RBAC}/v1"),
        "kind": "RoleBinding",
        "metadata": { "namespace": namespace, "name": name },
        "roleRef": { "apiGroup": RBAC, "kind": "ClusterRole", "name": ROLE },
        "subjects": [subject],
    })
}

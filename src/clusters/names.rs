//! Names of what the provider makes in every cluster.

use kubernetes_apply::ownership::{FieldManager, InvalidOwner, Label, Owner};

/// The namespace of what the provider itself needs.
pub(crate) const NAMESPACE: &str = "nautes";

/// The namespace of the service account with which Vault verifies others.
pub(crate) const VAULT_NAMESPACE: &str = "vault";

/// The `ConfigMap` in [`NAMESPACE`] with what runtimes need to know.
pub(crate) const FACTS: &str = "nautes-cluster-facts";

/// The `Lease` in [`NAMESPACE`] of the run that changes the cluster.
pub(crate) const CLUSTER_LEASE: &str = "nautes-tf-cluster";

/// The `ConfigMap` with the rights of Argo CD's users.
pub(crate) const ARGO_CD_RBAC: &str = "argocd-rbac-cm";

/// The label of the namespaces of products.
pub(crate) const PRODUCT_LABEL: &str = "resource.nautes.io/belongsto";

/// How the names of the `ConfigMap`s in [`NAMESPACE`] begin that record the runtimes of a product, and of `Lease`s.
pub(crate) const REGISTRY_PREFIX: &str = "nautes-tf-";

/// The value of the label of every object that the provider makes.
pub(crate) const MANAGED_BY: &str = "terraform-provider-nautes";

/// The key of the label of the provider's objects; [`MANAGED_BY`] is its value.
pub(crate) const OWNER_LABEL: &str = "app.kubernetes.io/managed-by";

/// By which name and label objects are the provider's own.
pub(crate) fn owner() -> Result<Owner, InvalidOwner> {
    Ok(Owner {
        field_manager: FieldManager::new(MANAGED_BY)?,
        label: Label::new(OWNER_LABEL, MANAGED_BY)?,
    })
}

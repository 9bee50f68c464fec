//! Names of what runtimes make in clusters and in Vault. They carry the product, so that two products may use one name.

use nautes_model::{ProductId, RepositoryId};

use crate::clusters::REGISTRY_PREFIX;
use crate::components::Sha256;

/// The hexadecimal digits of a hash at the end of a shortened name.
const HASH_LENGTH: usize = 8;

/// Returns the name of an `Application`.
pub(crate) fn application(product: ProductId, runtime: &str) -> String {
    format!("{product}-{runtime}")
}

/// Returns the Vault role of a product's service account.
pub(crate) fn account_role(product: ProductId, account: &str) -> String {
    format!("{product}-{account}")
}

/// Returns the Vault role with which Argo CD's credentials of a product are read.
pub(crate) fn repository_role(product: ProductId) -> String {
    product.to_string()
}

/// Returns the `ServiceAccount` and `SecretStore` of a product in the namespace of Argo CD.
pub(crate) fn repository_store(product: ProductId) -> String {
    format!("nautes-{product}")
}

/// Returns the `ExternalSecret` of a repository's credential in the namespace of Argo CD, and its Secret.
pub(crate) fn repository_credential(product: ProductId, repository: RepositoryId) -> String {
    format!("nautes-{product}-{repository}")
}

/// Returns the `ConfigMap` that records the runtimes of a product, and the `Lease` that protects what they share.
pub(crate) fn registry(product: ProductId) -> String {
    format!("{REGISTRY_PREFIX}{product}")
}

/// Returns the `Lease` of the run that creates a runtime.
pub(crate) fn creation_lease(product: ProductId, kind: &str, runtime: &str) -> String {
    format!("{}-{kind}-{runtime}", registry(product))
}

/// Returns the role of a product's members in Argo CD.
///
/// It is not called after the product, which may be called `admin` like a role of Argo CD's own.
pub(crate) fn argo_cd_role(product: ProductId) -> String {
    format!("role:nautes-{product}")
}

/// Returns the key of `argocd-rbac-cm` with the rights of a product's members.
pub(crate) fn argo_cd_policy_key(product: ProductId) -> String {
    format!("policy.nautes-{product}.csv")
}

/// Shortens a name that is too long; a hash of the whole keeps it unique.
pub(crate) fn shorten(name: &str, limit: usize) -> String {
    if name.len() <= limit {
        return name.to_owned();
    }
    let hash = Sha256::compute(name.as_bytes()).to_string();
    let hash = hash.get(..HASH_LENGTH).unwrap_or_default();
    let mut kept = limit.saturating_sub(HASH_LENGTH + 1);
    while !name.is_char_boundary(kept) {
        kept -= 1;
    }
    let kept = name.get(..kept).unwrap_or_default();
    format!("{}-{hash}", kept.trim_end_matches(['-', '.', '_']))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABEL_LENGTH: usize = 63;

    #[test]
    fn names_carry_the_product() {
        let product = ProductId::new(42);
        assert_eq!(application(product, "shop-test"), "product-42-shop-test");
        assert_eq!(account_role(product, "pr-dev"), "product-42-pr-dev");
        assert_eq!(repository_role(product), "product-42");
        assert_eq!(repository_store(product), "nautes-product-42");
        let credential = repository_credential(product, RepositoryId::new(7));
        assert_eq!(credential, "nautes-product-42-repo-7");
        assert_eq!(registry(product), "nautes-tf-product-42");
        assert_eq!(argo_cd_policy_key(product), "policy.nautes-product-42.csv");
    }

    #[test]
    fn a_long_name_is_shortened_and_stays_unique() {
        let name = |last: char| format!("{}{last}", "a-".repeat(40));
        let (first, second) = (
            shorten(&name('x'), LABEL_LENGTH),
            shorten(&name('y'), LABEL_LENGTH),
        );
        assert!(
            first.len() <= LABEL_LENGTH && !first.contains("--"),
            "{first}"
        );
        assert_ne!(first, second);
        assert_eq!(shorten("short", LABEL_LENGTH), "short");
        assert!(shorten(&"ä".repeat(60), 21).len() <= 21);
    }
}

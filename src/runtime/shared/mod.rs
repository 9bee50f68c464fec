//! What the runtimes of a product share in a cluster and in Vault, derived from the registry.
//!
//! It is a function of the registry alone, so it does not matter in which order runtimes came, changed and went. A
//! runtime that changes adds to what is derived first, and takes away when it works without it.

mod argo_cd;
mod namespaces;
#[cfg(test)]
mod tests;
mod transition;
mod vault;

use std::collections::{BTreeMap, BTreeSet};

use kubernetes_apply::object::{Object, ObjectError};
use nautes_model::{ProductId, RepositoryId};

pub(crate) use self::argo_cd::{ArgoCdPolicy, IN_CLUSTER};
pub(crate) use self::transition::Transition;
pub(crate) use self::vault::readonly_policy;

use super::external_secret::VaultAccess;
use super::marks::mark_shared;
use super::registry::Registry;
use crate::backends::vault::KubernetesRole;
use crate::clusters::ProductResource;

/// What shared objects depend on besides the registry.
#[derive(Clone, Debug)]
pub(crate) struct SharedContext {
    pub(crate) product: ProductId,
    /// The full path of the product's group in GitLab, which is the group of its members.
    pub(crate) members: String,
    /// What API servers put in front of the names of groups; may be empty.
    pub(crate) groups_prefix: String,
    /// The namespace of Argo CD.
    pub(crate) argo_cd: String,
    pub(crate) vault: VaultAccess,
    /// Whether namespaces inherit from that of the product.
    pub(crate) has_hierarchies: bool,
    /// The namespaces of components that the product may use.
    pub(crate) reserved_namespaces: BTreeSet<String>,
    /// The cluster-scoped resources that the product may create.
    pub(crate) cluster_resources: BTreeSet<ProductResource>,
}

/// What the runtimes of a product share.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shared {
    /// The roles of the cluster's auth mount in Vault, by name.
    pub(crate) roles: BTreeMap<String, KubernetesRole>,
    /// The objects, in the order in which they are created.
    pub(crate) objects: Vec<Object>,
    /// The rights of the product's members in Argo CD.
    pub(crate) policy: Option<ArgoCdPolicy>,
    /// The repositories with a hook to Argo CD.
    pub(crate) hooks: BTreeSet<RepositoryId>,
}

impl Shared {
    /// Derives what the runtimes in a registry share.
    pub(crate) fn derive(
        registry: &Registry,
        context: &SharedContext,
    ) -> Result<Self, ObjectError> {
        if registry.is_empty() {
            return Ok(Self::default());
        }
        let contributions: Vec<_> = registry.needed().collect();
        let mut objects = namespaces::objects(&contributions, context);
        objects.extend(argo_cd::objects(&contributions, context)?);
        let objects = objects
            .into_iter()
            .map(|object| Ok(mark_shared(Object::new(object)?, context.product)));
        Ok(Self {
            roles: vault::roles(&contributions, context),
            objects: objects.collect::<Result<_, _>>()?,
            policy: argo_cd::policy(&contributions, context),
            hooks: contributions
                .iter()
                .flat_map(|it| it.push.iter().copied())
                .collect(),
        })
    }

    /// Returns what is not in `kept`: what goes when `kept` is all that is left.
    #[must_use]
    pub(crate) fn without(&self, kept: &Self) -> Self {
        let names: BTreeSet<_> = kept.objects.iter().map(Object::reference).collect();
        let objects = self.objects.iter();
        let objects = objects.filter(|object| !names.contains(object.reference()));
        let roles = self.roles.iter();
        let roles = roles.filter(|(name, _)| !kept.roles.contains_key(*name));
        Self {
            objects: objects.cloned().collect(),
            roles: roles
                .map(|(name, role)| (name.clone(), role.clone()))
                .collect(),
            policy: self.policy.clone().filter(|_| kept.policy.is_none()),
            hooks: self.hooks.difference(&kept.hooks).copied().collect(),
        }
    }

    /// Returns those of these objects and roles that `part` names.
    #[must_use]
    pub(crate) fn only(&self, part: &Self) -> Self {
        let rest = self.without(part);
        self.without(&rest)
    }
}

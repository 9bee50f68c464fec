//! The roles with which service accounts of a product log in to Vault.

use std::collections::{BTreeMap, BTreeSet};

use nautes_model::RepositoryId;
use nautes_model::vault::{GitSecret, SecretPath};

use super::SharedContext;
use crate::backends::vault::{KubernetesRole, TokenLimits};
use crate::runtime::names;
use crate::runtime::registry::Contribution;

/// Returns the roles by name.
pub(super) fn roles(
    contributions: &[&Contribution],
    context: &SharedContext,
) -> BTreeMap<String, KubernetesRole> {
    let mut roles: BTreeMap<String, KubernetesRole> = BTreeMap::new();
    let role = || KubernetesRole {
        service_accounts: BTreeSet::new(),
        namespaces: BTreeSet::new(),
        audience: context.vault.audience.clone(),
        token_policies: BTreeSet::new(),
        tokens: TokenLimits::default(),
    };
    for contribution in contributions {
        let Some(account) = &contribution.account else {
            continue;
        };
        if contribution.spaces.is_empty() {
            continue;
        }
        let name = names::account_role(context.product, account);
        let role = roles.entry(name).or_insert_with(role);
        role.service_accounts.insert(account.clone());
        role.namespaces.extend(contribution.spaces.iter().cloned());
        role.token_policies
            .extend(contribution.vault.iter().cloned());
    }
    let repositories = contributions.iter().flat_map(|one| one.repos.keys());
    let policies: BTreeSet<String> = repositories.map(|id| readonly_policy(*id)).collect();
    if !policies.is_empty() {
        let reader = KubernetesRole {
            service_accounts: BTreeSet::from([names::repository_store(context.product)]),
            namespaces: BTreeSet::from([context.argo_cd.clone()]),
            token_policies: policies,
            ..role()
        };
        roles.insert(names::repository_role(context.product), reader);
    }
    roles
}

/// Returns the policy that allows reading the key of a repository that may clone.
pub(crate) fn readonly_policy(repository: RepositoryId) -> String {
    SecretPath::for_repository(repository, GitSecret::ReadonlyKey).policy_name()
}

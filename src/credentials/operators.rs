//! The deploy key with which Nautes's own operators read the configuration repository of a product.

use std::collections::BTreeSet;

use nautes_model::RepositoryId;
use nautes_model::entity::Permissions;
use nautes_model::vault::{GitSecret, SecretPath};

use super::deploy_key::MAX_ATTEMPTS;
use super::error::{Context as _, Error};
use super::inspection::{Observed, check_own_key};
use super::owner::Owner;
use super::{Credentials, Finding, StoredKey};
use crate::backends::vault::Kind;

/// The role of the tenant's Argo CD.
const ROLE: &str = "ARGO";

impl Credentials {
    /// Ensures that a configuration repository has a read-only key with its secret and policy, and
    /// that the tenant's Argo CD may read the secret (`saveProduct` of
    /// `app/api-server/internal/biz/product.go`).
    ///
    /// `auth_mount` is the tenant's mount below `auth/`.
    pub async fn ensure_operators_key(
        &self,
        config_repository: impl Into<Owner>,
        auth_mount: &str,
    ) -> Result<StoredKey, Error> {
        let owner = &config_repository.into();
        let config_repository = owner.repository;
        let known = self.own_secrets(owner).await?;
        let known = known.get(&GitSecret::ReadonlyKey).cloned();
        let key = self
            .ensure_deploy_key(owner, Permissions::ReadOnly, known)
            .await?;
        self.grant(&policy_name(config_repository), auth_mount)
            .await?;
        Ok(key)
    }

    /// Removes the key of a configuration repository, its secret and its policy, and revokes that
    /// policy from the tenant's Argo CD.
    pub async fn remove_operators_key(
        &self,
        config_repository: impl Into<Owner>,
        auth_mount: &str,
    ) -> Result<(), Error> {
        let owner = config_repository.into();
        let stored = self.revoke_own_grant(&owner, auth_mount).await?;
        self.remove_from_gitlab(owner.repository, false).await?;
        self.delete_from_vault(owner.repository, &stored).await
    }

    /// Removes the secret and the policy of that key, and revokes the policy from the tenant's Argo
    /// CD; the key goes with the project.
    pub async fn remove_operators_secret(
        &self,
        config_repository: impl Into<Owner>,
        auth_mount: &str,
    ) -> Result<(), Error> {
        let owner = config_repository.into();
        let stored = self.revoke_own_grant(&owner, auth_mount).await?;
        self.delete_from_vault(owner.repository, &stored).await
    }

    /// Revokes the grant of a secret, after a check that the secrets are the repository's own; returns
    /// those that are stored.
    async fn revoke_own_grant(
        &self,
        owner: &Owner,
        auth_mount: &str,
    ) -> Result<BTreeSet<GitSecret>, Error> {
        let own = self.own_secrets(owner).await?;
        self.revoke_grant(&policy_name(owner.repository), auth_mount)
            .await?;
        Ok(own.into_keys().collect())
    }

    /// Checks the key of a configuration repository.
    pub async fn inspect_operators_key(
        &self,
        config_repository: impl Into<Owner>,
        auth_mount: &str,
    ) -> Result<BTreeSet<Finding>, Error> {
        let owner = config_repository.into();
        let config_repository = owner.repository;
        let path = SecretPath::for_repository(config_repository, GitSecret::ReadonlyKey);
        let secret = self.current_secret(&owner, &path).await?;
        let secrets = [(GitSecret::ReadonlyKey, secret)].into();
        let policies = self.policies.for_repository(config_repository).await?;
        let keys = self.key_list(config_repository).await?;
        let observed = Observed {
            repository: config_repository,
            secrets: &secrets,
            policies: &policies,
            keys: &keys,
            tokens: &[],
        };
        let mut findings = BTreeSet::new();
        check_own_key(observed, Permissions::ReadOnly, None, &mut findings)?;
        let policy = policy_name(config_repository);
        let granted = self.role_policies(auth_mount).await?.unwrap_or_default();
        if !granted.contains(&policy) {
            let role = role_path(auth_mount);
            findings.insert(Finding::NotGranted { policy, role });
        }
        Ok(findings)
    }

    async fn grant(&self, policy: &str, auth_mount: &str) -> Result<(), Error> {
        let insert = |policies: &mut BTreeSet<String>| policies.insert(policy.to_owned());
        match self.change_role(auth_mount, insert).await? {
            RoleUpdate::RoleMissing => Err(Error::NoRole {
                role: role_path(auth_mount),
            }),
            RoleUpdate::Applied => Ok(()),
        }
    }

    async fn revoke_grant(&self, policy: &str, auth_mount: &str) -> Result<(), Error> {
        let remove = |policies: &mut BTreeSet<String>| policies.remove(policy);
        match self.change_role(auth_mount, remove).await? {
            RoleUpdate::Applied | RoleUpdate::RoleMissing => Ok(()),
        }
    }

    /// Changes the policies of the role until nothing is left to change, because another process may
    /// write the role at the same time. `change` returns whether it changed anything.
    async fn change_role(
        &self,
        auth_mount: &str,
        change: impl Fn(&mut BTreeSet<String>) -> bool,
    ) -> Result<RoleUpdate, Error> {
        let _guard = self.roles.lock().await;
        for _ in 0..MAX_ATTEMPTS {
            let Some(mut policies) = self.role_policies(auth_mount).await? else {
                return Ok(RoleUpdate::RoleMissing);
            };
            if !change(&mut policies) {
                return Ok(RoleUpdate::Applied);
            }
            let vault = &self.vault;
            let written = vault.set_role_policies(auth_mount, ROLE, &policies).await;
            written.with_context(|| format!("write the role {}", role_path(auth_mount)))?;
        }
        Err(Error::Contended {
            path: role_path(auth_mount),
        })
    }

    /// Returns the policies of the role; `None` if the role or its mount does not exist.
    async fn role_policies(&self, auth_mount: &str) -> Result<Option<BTreeSet<String>>, Error> {
        match self.vault.role_policies(auth_mount, ROLE).await {
            Err(error) if matches!(error.kind(), Kind::NoMount { .. }) => Ok(None),
            read => read.with_context(|| format!("read the role {}", role_path(auth_mount))),
        }
    }
}

/// The outcome of a change of the role.
enum RoleUpdate {
    Applied,
    RoleMissing,
}

fn policy_name(config_repository: RepositoryId) -> String {
    SecretPath::for_repository(config_repository, GitSecret::ReadonlyKey).policy_name()
}

fn role_path(auth_mount: &str) -> String {
    format!("auth/{auth_mount}/role/{ROLE}")
}

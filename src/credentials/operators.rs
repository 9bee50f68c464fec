//! The key with which Nautes's own operators read a product's configuration repository.

use std::collections::BTreeSet;

use nautes_model::RepositoryId;
use nautes_model::entity::Permissions;
use nautes_model::vault::{GitSecret, SecretPath};

use super::deploy_key::RACES;
use super::error::{Error, Trying as _};
use super::inspection::{Seen, judge_own_key};
use super::{Credentials, Finding, KeptKey};
use crate::backends::vault::Kind;

/// The role of the tenant's Argo CD.
const ROLE: &str = "ARGO";

impl Credentials {
    /// Makes sure that a configuration repository has a read-only key, its secret and its policy,
    /// and that the tenant's Argo CD may read the secret (`saveProduct` of
    /// `app/api-server/internal/biz/product.go`).
    ///
    /// `auth_mount` is the tenant's mount below `auth/`.
    pub async fn ensure_operators_key(
        &self,
        config_repository: RepositoryId,
        auth_mount: &str,
    ) -> Result<KeptKey, Error> {
        let stored = self.stored_secrets(config_repository).await?;
        let is_stored = stored.contains(&GitSecret::ReadonlyKey);
        let key = self
            .ensure_deploy_key(config_repository, Permissions::ReadOnly, is_stored)
            .await?;
        self.grant(&policy_of(config_repository), auth_mount)
            .await?;
        Ok(key)
    }

    /// Removes the key of a configuration repository, its secret, its policy, and what gives that
    /// policy to the tenant's Argo CD.
    pub async fn retire_operators_key(
        &self,
        config_repository: RepositoryId,
        auth_mount: &str,
    ) -> Result<(), Error> {
        self.revoke_grant(&policy_of(config_repository), auth_mount)
            .await?;
        self.retire(config_repository).await
    }

    /// Lists what is wrong with the key of a configuration repository.
    pub async fn inspect_operators_key(
        &self,
        config_repository: RepositoryId,
        auth_mount: &str,
    ) -> Result<BTreeSet<Finding>, Error> {
        let secrets = self.stored_secrets(config_repository).await?;
        let policies = self.policies.of_repository(config_repository).await?;
        let keys = self.own_list(config_repository).await?;
        let seen = Seen {
            repository: config_repository,
            secrets: &secrets,
            policies: &policies,
            keys: &keys,
            tokens: &[],
        };
        let mut findings = BTreeSet::new();
        judge_own_key(seen, Permissions::ReadOnly, &mut findings)?;
        let policy = policy_of(config_repository);
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
            Changed::NoRole => Err(Error::NoRole {
                role: role_path(auth_mount),
            }),
            Changed::Done => Ok(()),
        }
    }

    async fn revoke_grant(&self, policy: &str, auth_mount: &str) -> Result<(), Error> {
        let remove = |policies: &mut BTreeSet<String>| policies.remove(policy);
        match self.change_role(auth_mount, remove).await? {
            Changed::Done | Changed::NoRole => Ok(()),
        }
    }

    /// Changes the policies of the role until it has nothing to change, because another process may
    /// have written the role at the same time. `change` tells whether it changed something.
    async fn change_role(
        &self,
        auth_mount: &str,
        change: impl Fn(&mut BTreeSet<String>) -> bool,
    ) -> Result<Changed, Error> {
        let _one_at_a_time = self.roles.lock().await;
        for _ in 0..RACES {
            let Some(mut policies) = self.role_policies(auth_mount).await? else {
                return Ok(Changed::NoRole);
            };
            if !change(&mut policies) {
                return Ok(Changed::Done);
            }
            let vault = &self.vault;
            let written = vault.set_role_policies(auth_mount, ROLE, &policies).await;
            written.trying_to(|| format!("write the role {}", role_path(auth_mount)))?;
        }
        Err(Error::Contended {
            path: role_path(auth_mount),
        })
    }

    /// The policies of the role; none if there is no such role, or no such mount.
    async fn role_policies(&self, auth_mount: &str) -> Result<Option<BTreeSet<String>>, Error> {
        match self.vault.role_policies(auth_mount, ROLE).await {
            Err(error) if matches!(error.kind(), Kind::NoMount { .. }) => Ok(None),
            read => read.trying_to(|| format!("read the role {}", role_path(auth_mount))),
        }
    }
}

/// What came of a change of the role.
enum Changed {
    Done,
    NoRole,
}

fn policy_of(config_repository: RepositoryId) -> String {
    SecretPath::of_repository(config_repository, GitSecret::ReadonlyKey).policy_name()
}

fn role_path(auth_mount: &str) -> String {
    format!("auth/{auth_mount}/role/{ROLE}")
}

//! What the provider keeps in each cluster, and in Vault for it: the credential of its own, what
//! verifies service accounts, and the facts that runtimes need. Builders are pure; `cluster_access`
//! and the resources do the calls.

mod base;
mod facts;
mod kubeconfig;
mod names;

pub(crate) use self::base::{
    CREDENTIAL_SECRETS, REVIEWER_SECRET, own_account, own_namespace, own_token, reviewer_accounts,
    reviewer_token,
};
pub(crate) use self::facts::{ComponentFact, ComponentFacts, Facts};
pub(crate) use self::kubeconfig::{KubeconfigError, build_kubeconfig, decode};
pub(crate) use self::names::{FACTS, NAMESPACE, VAULT_NAMESPACE, owner};

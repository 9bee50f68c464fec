//! What the provider keeps in each cluster, and in Vault for it: the credential of its own, what
//! verifies service accounts, and the facts that runtimes need. Builders are pure; the resources do the
//! calls, and [`lock`] those of locks.

mod base;
mod facts;
mod kubeconfig;
pub(crate) mod lock;
mod names;
pub(crate) mod runtime;
mod token_account;

pub(crate) use self::base::{
    PROBE_ACCOUNT, REVIEWER_BINDING, own_account, own_namespace, reviewer_accounts,
};
pub(crate) use self::facts::{
    ComponentFact, ComponentFacts, Facts, ProductAccess, ProductResource,
};
pub(crate) use self::kubeconfig::{KubeconfigError, build_kubeconfig, decode};
pub(crate) use self::names::{
    ARGO_CD_RBAC, CLUSTER_LEASE, FACTS, MANAGED_BY, NAMESPACE, OWNER_LABEL, PRODUCT_LABEL,
    REGISTRY_PREFIX, owner,
};
pub(crate) use self::token_account::{
    OWN_ACCOUNT, REVIEWER_ACCOUNT, RUNTIME_ACCOUNT, TokenAccount,
};

//! What runtimes make in a worker cluster and in Vault.
//!
//! The runtimes of a product share objects in a cluster: its namespaces, accounts, Argo CD project and Vault roles. A
//! [registry] in the cluster records what each runtime contributes, and [`shared`] derives the shared objects from all
//! contributions. Builders are pure; [`reconcile`] does the calls.

pub(crate) mod deployment;
pub(crate) mod external_secret;
mod marks;
pub(crate) mod names;
pub(crate) mod pipeline;
pub(crate) mod reconcile;
pub(crate) mod registry;
pub(crate) mod shared;

pub(crate) use self::marks::{OWNER_ANNOTATION, mark};

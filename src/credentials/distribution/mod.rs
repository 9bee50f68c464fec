//! Deploy keys, enabled on the code repositories of a product as its manifests say.
//!
//! A request that has changed a manifest or created keys subscribes to the first distribution that
//! begins afterwards ([`Credentials::wait_for_distribution`](super::Credentials::wait_for_distribution)).
//! A distribution lists the keys of the repositories that concern its subscribers, of those on which
//! the last one failed, and of the owners of keys that it has to enable. It changes only the first
//! two groups, and brings them to the wanted state whatever was enabled before. Whatever the manifests
//! name, keys stay as they are on projects outside the product's group, and those of such projects are
//! enabled nowhere.
//!
//! `difference` and `subscriber` do no input or output.

mod difference;
mod distributor;
mod failure;
mod run;
mod subscriber;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use nautes_model::ProductId;

pub use self::failure::{LinkError, LinkFailure};
pub use self::subscriber::Subscriber;

use self::distributor::Distributor;
use self::run::Distribution;
use super::error::Error;
use super::in_progress::InProgress;
use super::key_lists::KeyLists;
use super::namespaces::Namespaces;
use crate::backends::vault::Vault;
use crate::config_repo::Repositories;

/// The distributors of all products.
#[derive(Debug)]
pub(super) struct Distributors {
    repositories: Arc<Repositories>,
    keys: Arc<KeyLists>,
    in_progress: Arc<InProgress>,
    namespaces: Arc<Namespaces>,
    vault: Vault,
    /// By product and the number of its configuration project, which changes when that is deleted
    /// and created again.
    by_product: Mutex<HashMap<(ProductId, u64), Arc<Distributor>>>,
}

impl Distributors {
    pub(super) fn new(
        repositories: Arc<Repositories>,
        keys: Arc<KeyLists>,
        in_progress: Arc<InProgress>,
        namespaces: Arc<Namespaces>,
        vault: Vault,
    ) -> Self {
        Self {
            repositories,
            keys,
            in_progress,
            namespaces,
            vault,
            by_product: Mutex::default(),
        }
    }

    fn distributor(&self, product: ProductId, config_project: u64) -> Arc<Distributor> {
        let mut by_product = self
            .by_product
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let distributor = by_product
            .entry((product, config_project))
            .or_insert_with(|| {
                Arc::new(Distributor::new(Distribution {
                    product,
                    config_project,
                    repositories: Arc::clone(&self.repositories),
                    keys: Arc::clone(&self.keys),
                    in_progress: Arc::clone(&self.in_progress),
                    namespaces: Arc::clone(&self.namespaces),
                    vault: self.vault.clone(),
                }))
            });
        Arc::clone(distributor)
    }
}

impl super::Credentials {
    /// Waits until the deploy keys of the repositories that concern a request are enabled as the
    /// product's manifests say. `config_project` is the number of the product's `default.project`.
    ///
    /// Fails for what could not be done on the repository of the subscriber; see [`Subscriber`].
    pub async fn wait_for_distribution(
        &self,
        product: ProductId,
        config_project: u64,
        subscriber: Subscriber,
    ) -> Result<(), Error> {
        let distributor = self.distributors.distributor(product, config_project);
        distributor.wait(subscriber).await
    }
}

//! The keys of a product's repositories, enabled where the product's manifests say so.
//!
//! Whoever has changed a manifest, or made keys, waits for a run that begins afterwards
//! ([`Distributors::settle`]). Each run looks at the whole product and makes what differs, so it
//! does not matter who asked for it, nor what an earlier one left undone.

mod difference;
mod run;
mod waiting;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use nautes_model::{ProductId, RepositoryId};

pub(super) use self::difference::may_push;
pub use self::run::LinkFailure;
pub use self::waiting::Waiter;

use self::run::Run;
use self::waiting::Distributor;
use super::error::Error;
use super::in_hand::InHand;
use super::key_lists::KeyLists;
use crate::backends::vault::Vault;
use crate::config_repo::Repositories;

/// One distributor for each product.
#[derive(Debug)]
pub(super) struct Distributors {
    repositories: Arc<Repositories>,
    keys: Arc<KeyLists>,
    in_hand: Arc<InHand>,
    vault: Vault,
    /// By product and the project of its configuration repository.
    known: Mutex<HashMap<(ProductId, u64), Arc<Distributor>>>,
}

impl Distributors {
    pub(super) fn new(
        repositories: Arc<Repositories>,
        keys: Arc<KeyLists>,
        in_hand: Arc<InHand>,
        vault: Vault,
    ) -> Self {
        Self {
            repositories,
            keys,
            in_hand,
            vault,
            known: Mutex::default(),
        }
    }

    fn of(&self, product: ProductId, config_project: u64) -> Arc<Distributor> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let distributor = known.entry((product, config_project)).or_insert_with(|| {
            Arc::new(Distributor::new(Run {
                product,
                config_project,
                repositories: Arc::clone(&self.repositories),
                keys: Arc::clone(&self.keys),
                in_hand: Arc::clone(&self.in_hand),
                vault: self.vault.clone(),
            }))
        });
        Arc::clone(distributor)
    }
}

impl super::Credentials {
    /// Waits until the deploy keys of a product's repositories are enabled as its manifests say
    /// now. `config_project` is the number of its `default.project`.
    ///
    /// Fails for what could not be done on the repository of the waiter; see [`Waiter`].
    pub async fn settle(
        &self,
        product: ProductId,
        config_project: u64,
        waiter: Waiter,
    ) -> Result<(), Error> {
        let distributor = self.distributors.of(product, config_project);
        distributor.settle(waiter).await
    }
}

impl Waiter {
    fn repository(self) -> RepositoryId {
        match self {
            Self::Repository(repository) | Self::Binding { repository } => repository,
        }
    }
}

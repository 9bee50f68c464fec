//! The state: what Terraform stores of each instance.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use terraform_plugin::protocol::tfplugin6 as tf;
use terraform_plugin::value::Value;

use crate::configuration::Address;

/// A stored object.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) value: Value,
    pub(crate) private: Bytes,
    pub(crate) identity: Option<tf::ResourceIdentityData>,
    /// Whether its creation failed half-way, so that it is replaced.
    pub(crate) is_tainted: bool,
    /// What the block depended on when it was last applied, through other blocks too.
    pub(crate) dependencies: BTreeSet<Address>,
    pub(crate) create_before_destroy: bool,
}

/// A state.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// The instances' current objects.
    pub(crate) current: BTreeMap<Address, Stored>,
    /// Objects that were replaced and are not destroyed yet, by the key that Terraform gave them.
    pub(crate) deposed: BTreeMap<(Address, String), Stored>,
}

impl State {
    /// Returns all objects with their addresses and, for deposed ones, their keys.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (Address, Option<&str>, &Stored)> {
        let current = self
            .current
            .iter()
            .map(|(address, stored)| (*address, None, stored));
        let deposed = self
            .deposed
            .iter()
            .map(|((address, key), stored)| (*address, Some(key.as_str()), stored));
        current.chain(deposed)
    }

    /// Returns a key that no deposed object of the address has.
    pub(crate) fn free_key(&self, address: Address) -> String {
        let mut number = 1_u32;
        loop {
            let key = format!("{number:08x}");
            if !self.deposed.contains_key(&(address, key.clone())) {
                return key;
            }
            number += 1;
        }
    }
}
